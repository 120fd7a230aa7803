/**
 * A peer in role secondary that says what the test wants, in real bytes over the simulated network. By itself it accepts
 * every session and answers nothing.
 */
import { isPortError } from '../../core/ports/error.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Network } from '../../core/ports/network.js';
import { Connection, type ConnectionSink } from '../../core/wire/connection.js';
import { encodeFrame, MAX_LIST_BYTES, PROTOCOL_VERSION } from '../../core/wire/frame.js';
import {
  decodeFirstMessage,
  encodeAttachReply,
  encodeHelloReply,
  encodeRefusal,
  type Attach,
  type AttachReply,
} from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import type { NvPair } from '../../core/wire/nv.js';
import {
  openPayload,
  packPayload,
  readPayloadSpec,
  type PayloadSettings,
  type PayloadSpec,
} from '../../core/wire/payload.js';
import type { Following } from '../../core/wire/reader.js';
import { decodeRequest, encodeReply, type IoCommand, type Reply } from '../../core/wire/request-messages.js';
import { simCodecs } from '../../sim/codecs.js';
import type { SimProcess } from '../../sim/process.js';

export interface PeerRequest {
  readonly command: IoCommand;
  readonly seq: number;
  readonly offset: number;
  readonly length: number;
  readonly memsync: boolean;
  /** What a WRITE carries. */
  readonly data: Uint8Array;
  /** Which session it came in. */
  readonly session: number;
}

/** How it answers a handshake message: as usual, with a refusal, with bytes, or not at all. */
export type Answer =
  | 'accept'
  | 'silence'
  | { readonly refusal: string; readonly wait?: boolean }
  | { readonly bytes: Uint8Array }
  | 'close';

export class ScriptedSecondary {
  readonly address: string;
  version = PROTOCOL_VERSION;
  hello: Answer = 'accept';
  attach: Answer = 'accept';
  /** Answers on connection B instead of A. */
  attachOnB: Answer | null = null;
  standing: AttachReply;
  /** The dirty map behind the handshake's answer; `standing.mapsize` follows from it. */
  map: Uint8Array | null = null;
  settings: PayloadSettings = { compression: 'none', checksum: 'none' };
  /** Executes everything on `image` and answers at once. */
  automatic = false;
  readonly image: Uint8Array;
  /** Not answered yet. */
  readonly requests: PeerRequest[] = [];
  readonly keepalives: (boolean | null)[] = [];
  /** Every handshake 2 that came. */
  readonly attaches: Attach[] = [];
  /** How many sessions there have been. */
  sessions = 0;
  /** Told of every handshake 2 before it is answered. */
  judge: (attach: Attach) => void = () => undefined;
  /** Told of every request as it comes, before it is answered. */
  heard: (request: PeerRequest) => void = () => undefined;
  /** Told of every reply before it is sent. */
  replied: (request: PeerRequest, reply: Reply) => void = () => undefined;
  readonly #process: SimProcess;
  readonly #network: Network;
  readonly #clock: Clock;
  #acting = false;
  #pending: Connection | null = null;
  #connA: Connection | null = null;
  #connB: Connection | null = null;

  constructor(
    ports: { process: SimProcess; network: Network; clock: Clock },
    address: string,
    geometry: { datasize: number; extentsize: number },
  ) {
    this.#process = ports.process;
    this.#network = ports.network;
    this.#clock = ports.clock;
    this.address = address;
    this.image = new Uint8Array(geometry.datasize);
    const counts = { localcnt: 0n, remotecnt: 0n };
    this.standing = { ...geometry, ...counts, virgin: false, syncsrc: 'primary', mapsize: 0 };
    this.#process.run(() => {
      this.#listen();
    });
  }

  /** Both connections of the present session are there. */
  get connected(): boolean {
    return this.#connA?.open === true && this.#connB?.open === true;
  }

  reply(request: PeerRequest, answer: Partial<Reply> & { data?: Uint8Array } = {}): void {
    if (answer.received !== true || answer.error !== undefined) {
      this.requests.splice(this.requests.indexOf(request), 1);
    }
    const reply = { seq: request.seq, received: false, error: null, ...answer };
    this.replied(request, reply);
    const fields = encodeReply(reply);
    if (request.command !== 'read' || reply.error !== null) {
      this.sendOnB(encodeFrame(this.version, fields));
      return;
    }
    const data = answer.data ?? this.image.slice(request.offset, request.offset + request.length);
    const packed = packPayload(simCodecs, this.settings, data);
    this.sendOnB(encodeFrame(this.version, [...fields, ...packed.fields]), packed.data);
  }

  /** Does what the request says, and answers. */
  execute(request: PeerRequest): void {
    const { command, offset, length, data } = request;
    if (command === 'write') this.image.set(data, offset);
    if (command === 'delete') this.image.fill(0, offset, offset + length);
    if (request.memsync) this.reply(request, { received: true });
    this.reply(request);
  }

  sendOnB(...chunks: Uint8Array[]): void {
    this.#turn(() => this.#connB?.send(chunks));
  }

  sendOnA(...chunks: Uint8Array[]): void {
    this.#turn(() => this.#connA?.send(chunks));
  }

  /** Ends the session. */
  drop(which: 'both' | 'A' | 'B' = 'both'): void {
    this.#turn(() => {
      if (which !== 'B') this.#connA?.close();
      if (which !== 'A') this.#connB?.close();
    });
    this.requests.length = 0;
  }

  /** Stops reading: the primary's bytes pile up. */
  stall(): void {
    this.#turn(() => this.#connA?.pause());
  }

  /** The test acts from outside, or from inside a turn of its own peer (`clock.after`). */
  #turn(act: () => void): void {
    if (this.#acting) {
      act();
      return;
    }
    this.#process.run(act);
  }

  #listen(): void {
    const accepted = (): void => undefined;
    this.#network.listen(
      this.address,
      (socket) => {
        const connection: Connection = this.#connection((list) => this.#first(connection, list));
        connection.bind(socket);
        connection.resume();
        return connection;
      },
      accepted,
    );
  }

  #connection(heard: (list: NvList) => Following): Connection {
    const limits = { maxVersion: PROTOCOL_VERSION, maxListBytes: MAX_LIST_BYTES };
    return new Connection(() => this.#clock.now(), limits, this.#sink(heard));
  }

  #sink(heard: (list: NvList) => Following, payloadReceived: () => void = () => undefined): ConnectionSink {
    return {
      connected: () => undefined,
      listReceived: (_version, bytes) => {
        const list = decodeNv(bytes);
        if (isPortError(list)) throw new Error(`the primary sent ${list.message}`);
        return heard(list);
      },
      payloadReceived,
      lost: () => undefined,
    };
  }

  #first(connection: Connection, list: NvList): Following {
    const message = decodeFirstMessage(list);
    if (isPortError(message)) throw new Error(`the primary sent ${message.message}`);
    if (message.kind === 'hello') {
      this.#pending = connection;
      const token = new Uint8Array(16).fill(7);
      const version = Math.min(this.version, message.version);
      this.#answer(connection, this.hello, [encodeHelloReply({ version, token })], []);
    } else {
      this.#attach(connection, message);
    }
    return null;
  }

  #attach(connB: Connection, attach: Attach): void {
    const connA = this.#pending;
    if (connA === null) throw new Error('a second connection without a first');
    this.attaches.push(attach);
    this.judge(attach);
    this.requests.length = 0;
    this.#connA = connA;
    this.#connB = connB;
    this.sessions++;
    const session = this.sessions;
    connA.handTo(this.#requestSink(session));
    const mapsize = this.map?.length ?? this.standing.mapsize;
    const fields = encodeAttachReply({ ...this.standing, mapsize });
    const payload = this.map === null ? null : packPayload(simCodecs, this.settings, this.map);
    const data = payload === null ? [] : [payload.data];
    if (this.attachOnB !== null) this.#answer(connB, this.attachOnB, [], []);
    this.#answer(connA, this.attach, [[...fields, ...(payload?.fields ?? [])]].flat(), data);
  }

  #answer(
    connection: Connection,
    how: Answer,
    pairs: readonly (NvPair | readonly NvPair[])[],
    data: readonly Uint8Array[],
  ): void {
    if (how === 'silence') return;
    if (how === 'close') connection.close();
    else if (how === 'accept') connection.send([encodeFrame(this.version, pairs.flat()), ...data]);
    else if ('bytes' in how) connection.send([how.bytes]);
    else connection.send([encodeFrame(2, encodeRefusal(how.refusal, how.wait ?? false))]);
  }

  #requestSink(session: number): ConnectionSink {
    let write: { spec: PayloadSpec; request: PeerRequest; received: Uint8Array } | null = null;
    return this.#sink(
      (list) => {
        const request = decodeRequest(list);
        if (isPortError(request)) throw new Error(`the primary sent ${request.message}`);
        if (request.command === 'rejected') throw new Error(`the primary sent ${request.error.message}`);
        if (request.command === 'keepalive') {
          this.keepalives.push(request.insync);
          return null;
        }
        const noted = { ...request, session, data: new Uint8Array(0) };
        if (request.command !== 'write') {
          this.#note(noted);
          return null;
        }
        const spec = readPayloadSpec(list);
        if (spec === null || isPortError(spec)) throw new Error('a WRITE without data');
        const data = new Uint8Array(request.length);
        write = { spec, request: { ...noted, data }, received: new Uint8Array(spec.size) };
        return write.received;
      },
      () => {
        if (write === null) return;
        const error = openPayload(simCodecs, write.spec, write.received, write.request.data);
        if (error !== null) throw new Error(`the primary sent ${error.message}`);
        this.#note(write.request);
      },
    );
  }

  #note(request: PeerRequest): void {
    this.requests.push(request);
    this.heard(request);
    if (!this.automatic) return;
    this.#clock.after(0, () => {
      this.#acting = true;
      if (this.requests.includes(request)) this.execute(request);
      this.#acting = false;
    });
  }
}
