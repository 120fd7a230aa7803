import { unreachable } from '../base/assert.js';
import { isPortError, portError, type PortError } from '../ports/error.js';
import { newBuffer } from '../base/slab.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { Codecs } from '../ports/codecs.js';
import type { Network } from '../ports/network.js';
import { Connection, type ConnectionSink } from '../wire/connection.js';
import { encodeFrame, MAX_LIST_BYTES, OLDEST_VERSION, PROTOCOL_VERSION } from '../wire/frame.js';
import {
  decodeAttachReply,
  decodeHelloReply,
  encodeAttach,
  encodeHello,
  type Attach,
  type AttachReply,
} from '../wire/handshake-messages.js';
import { decodeNv, type NvList } from '../wire/nv-list.js';
import { openPayload, payloadFits, readPayloadSpec, type PayloadSpec } from '../wire/payload.js';
import type { Following } from '../wire/reader.js';

/** What the primary tells about itself in handshake 2. */
export type Credentials = Omit<Attach, 'resource' | 'token'>;

export interface DialerOwner {
  /** Makes the resource id durable if need be and answers with what handshake 2 says. */
  credentials(done: (error: PortError | null, credentials: Credentials | null) => void): void;
  dialled(result: DialResult): void;
}

export type DialResult =
  | {
      readonly kind: 'connected';
      readonly connA: Connection;
      readonly connB: Connection;
      /** Negotiated protocol version. */
      readonly version: number;
      readonly reply: AttachReply;
      /** The secondary's dirty map, `reply.mapsize` bytes; null when it sent none. */
      readonly map: Uint8Array | null;
    }
  /** The peer said no; `wait` means that it acts as primary and may step down soon. */
  | { readonly kind: 'refused'; readonly message: string; readonly wait: boolean }
  /** `stage` names what was being done; null: there is no connection at all. */
  | { readonly kind: 'failed'; readonly stage: string | null; readonly error: PortError };

export interface DialOptions {
  readonly resource: string;
  readonly remote: string;
  readonly source: string | null;
  readonly timeoutMs: number;
  /** Largest dirty map worth receiving. */
  readonly maxMapBytes: number;
}

type Stage = 'connecting' | 'hello' | 'credentials' | 'attaching' | 'attach' | 'map' | 'over';

const STAGE_TEXT: Record<Exclude<Stage, 'over'>, string | null> = {
  connecting: null,
  hello: 'receive the answer to the hello',
  credentials: 'store the resource id',
  attaching: 'open the second connection',
  attach: 'receive the handshake answer',
  map: "receive the peer's activemap",
};

/**
 * The primary's side of both handshakes (core/spec/wire.md section 6), one stage at a time:
 *
 *   connecting    dial A
 *   hello         send resource and version (message version 1: every peer reads it); await version, token
 *   credentials   the owner makes the resource id durable
 *   attaching     dial B
 *   attach        send token, id and counters on B; await the verdict on A. A refusal may come on B
 *   map           await the dirty map behind the verdict, if there is one
 *
 * Every stage has the resource's timeout. The owner hears `dialled` exactly once, unless it cancels.
 */
export class Dialer {
  readonly #ports: { clock: Clock; network: Network; codecs: Codecs };
  readonly #options: DialOptions;
  readonly #owner: DialerOwner;
  readonly #connA: Connection;
  #connB: Connection | null = null;
  #stage: Stage = 'connecting';
  #timer: Timer | null = null;
  #version = OLDEST_VERSION;
  #token: Uint8Array = new Uint8Array(0);
  #credentials: Credentials | null = null;
  #reply: AttachReply | null = null;
  #mapSpec: PayloadSpec | null = null;
  #received: Uint8Array = new Uint8Array(0);

  constructor(
    ports: { clock: Clock; network: Network; codecs: Codecs },
    options: DialOptions,
    owner: DialerOwner,
  ) {
    this.#ports = ports;
    this.#options = options;
    this.#owner = owner;
    this.#connA = this.#open((list) => this.#heardOnA(list));
    this.#enter('connecting');
  }

  /** Drops everything; the owner hears nothing more. */
  cancel(): void {
    this.#stage = 'over';
    this.#timer?.cancel();
    this.#connA.close();
    this.#connB?.close();
  }

  #open(heard: (list: NvList) => Following): Connection {
    const { clock, network } = this.#ports;
    const sink: ConnectionSink = {
      connected: () => {
        this.#connected();
      },
      listReceived: (_version, bytes) => {
        const list = decodeNv(bytes);
        if (!isPortError(list)) return heard(list);
        this.#fail(list);
        return null;
      },
      payloadReceived: () => {
        this.#mapReceived();
      },
      lost: (error) => {
        // A refusing peer closes both connections: the end of B may overtake the verdict, which comes on A.
        if (connection === this.#connB && (this.#stage === 'attach' || this.#stage === 'map')) return;
        this.#fail(error ?? portError('ECONNRESET', 'the peer closed the connection'));
      },
    };
    const limits = { maxVersion: PROTOCOL_VERSION, maxListBytes: MAX_LIST_BYTES };
    const connection: Connection = new Connection(() => clock.now(), limits, sink);
    connection.bind(network.dial(this.#options.remote, this.#options.source, connection));
    return connection;
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.after(this.#options.timeoutMs, () => {
      this.#fail(portError('ETIMEDOUT', 'the peer did not answer in time'));
    });
  }

  #connected(): void {
    const { resource } = this.#options;
    switch (this.#stage) {
      case 'connecting':
        this.#connA.send([encodeFrame(OLDEST_VERSION, encodeHello({ resource, version: PROTOCOL_VERSION }))]);
        this.#enter('hello');
        return;
      case 'attaching':
        this.#attach();
        return;
      case 'hello':
      case 'credentials':
      case 'attach':
      case 'map':
      case 'over':
        return;
      default:
        unreachable(this.#stage);
    }
  }

  #heardOnA(list: NvList): Following {
    if (this.#stage === 'hello') this.#helloAnswered(list);
    else if (this.#stage === 'attach') return this.#attachAnswered(list);
    else if (this.#stage !== 'over') this.#fail(portError('EPROTO', 'unexpected message'));
    return null;
  }

  #helloAnswered(list: NvList): void {
    const reply = decodeHelloReply(list, PROTOCOL_VERSION);
    if (isPortError(reply)) {
      this.#fail(reply);
    } else if (reply.kind === 'refused') {
      this.#finish(reply);
    } else {
      this.#version = reply.version;
      this.#token = reply.token;
      this.#enter('credentials');
      this.#owner.credentials(this.#credentialsReady);
    }
  }

  readonly #credentialsReady = (error: PortError | null, credentials: Credentials | null): void => {
    if (this.#stage !== 'credentials') return;
    if (credentials === null) {
      this.#fail(error ?? portError('EIO', 'no credentials'));
      return;
    }
    this.#credentials = credentials;
    this.#enter('attaching');
    this.#connB = this.#open((list) => this.#heardOnB(list));
  };

  #attach(): void {
    if (this.#credentials === null || this.#connB === null) return;
    const attach = { resource: this.#options.resource, token: this.#token, ...this.#credentials };
    this.#connB.send([encodeFrame(this.#version, encodeAttach(attach))]);
    this.#enter('attach');
  }

  /** Nothing but a refusal arrives on B (the reference never looks there and waits for its timeout). */
  #heardOnB(list: NvList): Following {
    const reply = decodeHelloReply(list, PROTOCOL_VERSION);
    if (!isPortError(reply) && reply.kind === 'refused') this.#finish(reply);
    else this.#fail(portError('EPROTO', 'unexpected message on the second connection'));
    return null;
  }

  #attachAnswered(list: NvList): Following {
    const reply = decodeAttachReply(list);
    if (isPortError(reply)) {
      this.#fail(reply);
      return null;
    }
    if (reply.kind === 'refused') {
      this.#finish(reply);
      return null;
    }
    this.#reply = reply;
    if (reply.mapsize === 0) {
      this.#succeed(null);
      return null;
    }
    return this.#expectMap(list, reply.mapsize);
  }

  #expectMap(list: NvList, mapBytes: number): Following {
    const spec = readPayloadSpec(list);
    if (spec === null || isPortError(spec)) {
      this.#fail(spec ?? portError('EPROTO', 'an activemap without a size'));
      return null;
    }
    if (mapBytes > this.#options.maxMapBytes) {
      this.#fail(
        portError('EPROTO', `an activemap of ${String(mapBytes)} bytes is too large for this resource`),
      );
      return null;
    }
    const misfit = payloadFits(spec, mapBytes);
    if (misfit !== null) {
      this.#fail(misfit);
      return null;
    }
    this.#mapSpec = spec;
    this.#received = newBuffer(spec.size);
    this.#enter('map');
    return this.#received;
  }

  #mapReceived(): void {
    if (this.#stage !== 'map' || this.#mapSpec === null || this.#reply === null) return;
    const map = newBuffer(this.#reply.mapsize);
    const error = openPayload(this.#ports.codecs, this.#mapSpec, this.#received, map);
    if (error !== null) this.#fail(error);
    else this.#succeed(map);
  }

  #succeed(map: Uint8Array | null): void {
    const connA = this.#connA;
    const connB = this.#connB;
    const reply = this.#reply;
    if (connB === null || reply === null) return;
    this.#stage = 'over';
    this.#timer?.cancel();
    this.#owner.dialled({ kind: 'connected', connA, connB, version: this.#version, reply, map });
  }

  #fail(error: PortError): void {
    if (this.#stage === 'over') return;
    this.#finish({ kind: 'failed', stage: STAGE_TEXT[this.#stage], error });
  }

  #finish(result: DialResult): void {
    this.cancel();
    this.#owner.dialled(result);
  }
}
