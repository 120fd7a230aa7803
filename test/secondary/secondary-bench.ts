/**
 * The worker of a secondary on a disk whose operations the test completes, opposite a primary that says what the test wants,
 * in real bytes over the simulated network.
 */
import type { ResourceConfig } from '../../core/config/types.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { decodeMetadata, encodeMetadata, type Metadata } from '../../core/metadata/codec.js';
import { isPortError } from '../../core/ports/error.js';
import type { DetachedSocket, Socket, SocketHandler } from '../../core/ports/network.js';
import { startSecondary, type ResourceWorker } from '../../core/resource/worker.js';
import { Connection, type ConnectionSink } from '../../core/wire/connection.js';
import { encodeFrame, MAX_LIST_BYTES, PROTOCOL_VERSION } from '../../core/wire/frame.js';
import { encodeAttach, type Attach } from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import { encodeNv, type NvPair } from '../../core/wire/nv.js';
import { packPayload, readPayloadSpec, type PayloadSettings } from '../../core/wire/payload.js';
import { decodeReply, encodeRequest, type Reply, type Request } from '../../core/wire/request-messages.js';
import { ManualDisk } from '../../properties/request/manual-disk.js';
import { EXTENT, LOCALOFF, RESOURCE, SECTOR } from '../../properties/request/primary-bench.js';
import { simCodecs } from '../../sim/codecs.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine, type Booted } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';

export const EXTENTS = 8;
const ADDRESS = 'tcp4://10.0.0.2:8457';

/** What came on a connection: the list's pairs by name, and the data behind it. */
export interface Answer {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array;
}

export interface SecondaryOptions {
  readonly metadata?: Partial<Metadata>;
  readonly bits?: readonly number[];
  readonly resource?: Partial<ResourceConfig>;
  readonly attach?: Partial<Attach>;
  readonly version?: number;
  /** The nv list of handshake 2, if it is not a proper one. */
  readonly handshake?: Uint8Array;
}

/** The primary's end of one connection. */
class Line {
  readonly answers: Answer[] = [];
  readonly replies: Reply[] = [];
  lost = false;
  readonly connection: Connection;

  constructor(host: Booted) {
    let waiting: Answer | null = null;
    const sink: ConnectionSink = {
      connected: () => undefined,
      listReceived: (_version, bytes) => {
        const list = decodeNv(bytes);
        if (isPortError(list)) throw new Error(list.message);
        this.replies.push(decodeReply(list));
        const spec = readPayloadSpec(list);
        if (isPortError(spec)) throw new Error(spec.message);
        const data = new Uint8Array(spec?.size ?? 0);
        const answer = { fields: fieldsOf(list), data };
        if (spec === null) this.answers.push(answer);
        else waiting = answer;
        return spec === null ? null : data;
      },
      payloadReceived: () => {
        if (waiting !== null) this.answers.push(waiting);
        waiting = null;
      },
      lost: () => {
        this.lost = true;
      },
    };
    const limits = { maxVersion: PROTOCOL_VERSION, maxListBytes: MAX_LIST_BYTES };
    this.connection = new Connection(() => host.clock.now(), limits, sink);
    this.connection.bind(host.network.dial(ADDRESS, null, this.connection));
  }
}

function fieldsOf(list: NvList): Record<string, unknown> {
  return Object.fromEntries(list.pairs().map(({ name, value }) => [name, value]));
}

export class SecondaryBench {
  readonly scheduler = new Scheduler();
  readonly lan = new Lan(this.scheduler, 1);
  readonly disk: ManualDisk;
  readonly events: string[] = [];
  readonly connA: Line;
  readonly connB: Line;
  worker: ResourceWorker | null = null;
  exitCode: number | null = null;
  readonly #primary = this.#boot('p', '10.0.0.1');
  readonly #machine: SimMachine;
  readonly host: Booted;
  #nextSeq = 1;

  constructor(options: SecondaryOptions = {}) {
    this.#machine = new SimMachine(this.scheduler, this.lan, this.lan.addHost('s', ['10.0.0.2']), [], 1);
    this.host = this.#machine.boot('worker');
    this.disk = new ManualDisk(LOCALOFF + EXTENTS * EXTENT, (callback) => {
      this.host.process.run(callback);
    });
    this.disk.bytes.set(encodeMetadata({ ...METADATA, ...options.metadata }, simCodecs));
    this.disk.bytes.set(options.bits ?? [], METADATA_BYTES);
    const accept = this.#listen();
    const [connA, connB] = [accept(), accept()];
    this.connA = connA.line;
    this.connB = connB.line;
    const attach = { ...ATTACH, ...options.attach };
    const session = {
      version: options.version ?? 2,
      handshake: options.handshake ?? encodeNv(encodeAttach(attach)),
      connA: connA.detached,
      connB: connB.detached,
    };
    this.#start({ ...RESOURCE, ...options.resource }, session);
  }

  /** The reply to handshake 2, once it has come. */
  get verdict(): Answer | null {
    return this.connA.answers[0] ?? null;
  }

  /** Disk and network go on for so long; with `disk waits` the disk does not. */
  run(durationMs: number, disk: 'disk works' | 'disk waits' = 'disk works'): this {
    const endMs = this.scheduler.nowMs + durationMs;
    while (this.scheduler.nowMs < endMs) {
      if (disk === 'disk works') this.disk.completeAll();
      this.scheduler.runFor(Math.min(1, endMs - this.scheduler.nowMs));
    }
    if (disk === 'disk works') this.disk.completeAll();
    return this;
  }

  /** The first thing the disk was asked for ends so. */
  complete(code: string | null = null): void {
    const [order] = this.disk.orders;
    if (order === undefined) throw new Error('nothing was asked of the disk');
    this.disk.complete(order, code);
  }

  /** What the disk was asked for: operation and place, in sectors of the user data. */
  asked(): string[] {
    return this.disk.orders.map(({ operation, offset, length }) => {
      if (operation === 'flush') return 'flush';
      const where =
        offset === 0 ? 'metadata' : offset < LOCALOFF ? 'map' : String((offset - LOCALOFF) / SECTOR);
      return offset < LOCALOFF ? `${operation} ${where}` : `${operation} ${where}+${String(length / SECTOR)}`;
    });
  }

  /** A request of so many sectors; its number. A WRITE carries `fill` in every byte. */
  request(
    command: 'read' | 'write' | 'delete' | 'flush',
    sector = 0,
    sectors = 1,
    more: { memsync?: boolean; fill?: number; settings?: PayloadSettings } = {},
  ): number {
    const seq = this.#nextSeq++;
    const whole =
      command === 'flush' ? { offset: 0, length: 0 } : { offset: sector * SECTOR, length: sectors * SECTOR };
    const pairs = encodeRequest({ command, seq, ...whole, memsync: more.memsync ?? false });
    if (command !== 'write') {
      this.send(pairs);
      return seq;
    }
    const settings = more.settings ?? { compression: 'none', checksum: 'none' };
    const payload = packPayload(simCodecs, settings, new Uint8Array(whole.length).fill(more.fill ?? seq));
    this.send([...pairs, ...payload.fields], payload.data);
    return seq;
  }

  keepalive(insync: boolean | null = null): void {
    const request: Request = { command: 'keepalive', insync };
    this.send(encodeRequest(request));
  }

  send(pairs: readonly NvPair[], ...data: Uint8Array[]): void {
    this.sendBytes(encodeFrame(2, pairs), ...data);
  }

  sendBytes(...chunks: Uint8Array[]): void {
    this.#primary.process.run(() => {
      this.connA.connection.send(chunks);
    });
  }

  hangUp(which: 'A' | 'B'): void {
    this.#primary.process.run(() => {
      (which === 'A' ? this.connA : this.connB).connection.close();
    });
  }

  turn(act: () => void): void {
    this.host.process.run(act);
  }

  /** Replies on connection B as `seq`, `seq received` or `seq ERROR`. */
  replies(): string[] {
    return this.connB.replies.map(({ seq, received, error }) =>
      [String(seq), ...(received ? ['received'] : []), ...(error === null ? [] : [error])].join(' '),
    );
  }

  metadata(): Metadata {
    const expected = { resource: 'r0', mediaSize: this.disk.mediaSize, sectorSize: SECTOR };
    const metadata = decodeMetadata(this.disk.bytes.slice(0, METADATA_BYTES), expected, simCodecs);
    if (isPortError(metadata)) throw new Error(metadata.message);
    return metadata;
  }

  /** The first byte of a sector of the user data. */
  at(sector: number): number {
    return this.disk.bytes[LOCALOFF + sector * SECTOR] ?? 0;
  }

  map(): Uint8Array {
    return this.disk.bytes.subarray(METADATA_BYTES, LOCALOFF);
  }

  log(): string {
    return this.host.log.lines.map(({ level, text }) => `${level} ${text}`).join('\n');
  }

  #boot(name: string, ip: string): Booted {
    return new SimMachine(this.scheduler, this.lan, this.lan.addHost(name, [ip]), [], 1).boot(name);
  }

  /** A daemon on the secondary's machine; each call makes a connection, which it accepts and gives away. */
  #listen(): () => { line: Line; detached: DetachedSocket } {
    const daemon = this.#machine.boot('daemon');
    let accepted: Socket | null = null;
    const accept = (socket: Socket): SocketHandler => {
      accepted = socket;
      return IDLE;
    };
    daemon.process.run(() => {
      daemon.network.listen(ADDRESS, accept, () => undefined);
    });
    this.scheduler.runFor(1);
    return () => {
      let line: Line | null = null;
      this.#primary.process.run(() => {
        line = new Line(this.#primary);
      });
      this.scheduler.runFor(5);
      if (line === null || accepted === null) throw new Error('no connection');
      return { line, detached: (accepted as Socket).detach() };
    };
  }

  #start(resource: ResourceConfig, session: Parameters<typeof startSecondary>[2]): void {
    const { process, clock, network, log } = this.host;
    const parent = {
      event: (event: string) => {
        this.events.push(event);
      },
      exported: () => undefined,
      exit: (code: number) => {
        this.exitCode = code;
        process.kill();
      },
    };
    const ports = { turns: process.turns, clock, disk: this.disk, network, codecs: simCodecs, log, parent };
    process.run(() => {
      this.worker = startSecondary(ports, resource, session);
    });
  }
}

const IDLE: SocketHandler = {
  connected: () => undefined,
  target: () => new Uint8Array(1),
  filled: () => undefined,
  sent: () => undefined,
  closed: () => undefined,
};

const ATTACH: Attach = {
  resource: 'r0',
  token: new Uint8Array(16),
  virgin: false,
  resuid: 7n,
  localcnt: 0n,
  remotecnt: 0n,
};

export const METADATA: Metadata = {
  resource: 'r0',
  datasize: EXTENTS * EXTENT,
  extentsize: EXTENT,
  keepdirty: 2,
  localoff: LOCALOFF,
  resuid: 7n,
  localcnt: 0n,
  remotecnt: 0n,
  prevrole: 'secondary',
  incomplete: false,
  localBad: [],
};
