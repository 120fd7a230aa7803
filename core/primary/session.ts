import { assert } from '../base/assert.js';
import { BufferPool } from '../base/buffer-pool.js';
import { newBuffer } from '../base/slab.js';
import type { ResourceConfig } from '../config/types.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { Codecs } from '../ports/codecs.js';
import { isPortError, portError, type PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { Connection } from '../wire/connection.js';
import { type ConnectionSink } from '../wire/connection.js';
import { encodeFrame } from '../wire/frame.js';
import { decodeNv, type NvList } from '../wire/nv-list.js';
import { openPayload, payloadFits, readPayloadSpec, sealPayload, type PayloadSpec } from '../wire/payload.js';
import type { Following } from '../wire/reader.js';
import { requestFrame } from '../wire/request-frames.js';
import { decodeReply, encodeRequest, type IoCommand } from '../wire/request-messages.js';

/** A request under way on the peer. Exactly one `remoteFinished` follows; `remoteReceived` may come before it. */
export interface RemoteLegOwner {
  /** memsync: the data is in the peer's memory. */
  remoteReceived(): void;
  /** Executed (null), refused by the peer, or lost with the session (ENOTCONN). */
  remoteFinished(error: PortError | null): void;
}

export interface RemoteRequest {
  readonly command: IoCommand;
  /** Bytes of the device. */
  readonly offset: number;
  readonly length: number;
  /** WRITE: what to send. READ: where the answer goes. */
  readonly data: Uint8Array | null;
  readonly memsync: boolean;
  /** The buffer may be reused before the bytes are with the system: send a copy. */
  readonly copy: boolean;
}

export interface SessionOwner {
  /** The session is over; its requests have all finished with ENOTCONN. Called once, not for `close`. */
  sessionLost(error: PortError): void;
}

/** Keepalive interval of the protocol (core/spec/wire.md section 8.5). */
const KEEPALIVE_MS = 10_000;
const TICK_MS = 1_000;

interface Outstanding {
  readonly owner: RemoteLegOwner;
  readonly request: RemoteRequest;
  readonly sentAt: number;
  received: boolean;
}

/**
 * The primary's end of an established session: requests go out on connection A, replies come in on B, matched by a
 * sequence number that nothing else ever used (W29). B is always read, so that its loss is noticed at once, and a quiet
 * peer is probed with a READ, since keepalives are not answered (W30):
 *
 *   nothing sent for 10 s                                   KEEPALIVE
 *   nothing heard for 10 s and nothing outstanding          READ of one sector
 *   nothing heard for `timeout` while something is owed     lost
 *   one request unanswered for `timeout` + 20 s             lost
 *   bytes to send and none taken for `timeout`              lost
 */
export class Session {
  readonly version: number;
  readonly #ports: { clock: Clock; codecs: Codecs; log: Log };
  readonly #owner: SessionOwner;
  readonly #connA: Connection;
  readonly #connB: Connection;
  readonly #probeBytes: number;
  readonly #copies = new BufferPool();
  readonly #outstanding = new Map<number, Outstanding>();
  #config: ResourceConfig;
  #open = true;
  #tick: Timer;
  #nextSeq: number;
  #quietSince: number;
  /** The READ whose data is being received. */
  #receiving: { seq: number; entry: Outstanding; spec: PayloadSpec; buffer: Uint8Array } | null = null;

  constructor(
    ports: { clock: Clock; codecs: Codecs; log: Log },
    parts: { version: number; connA: Connection; connB: Connection; firstSeq: number; sectorSize: number },
    config: ResourceConfig,
    owner: SessionOwner,
  ) {
    this.#ports = ports;
    this.version = parts.version;
    this.#connA = parts.connA;
    this.#connB = parts.connB;
    this.#nextSeq = parts.firstSeq;
    this.#probeBytes = parts.sectorSize;
    this.#config = config;
    this.#owner = owner;
    this.#quietSince = ports.clock.now();
    this.#connA.handTo(this.#sink((list) => this.#unexpected(list)));
    this.#connB.handTo(this.#sink((list) => this.#replied(list)));
    this.#tick = ports.clock.after(TICK_MS, this.#watch);
  }

  get open(): boolean {
    return this.#open;
  }

  /** Requests sent and not finished. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** The sequence number the next session starts with. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Live reload: timeout, checksum and compression apply from the next message on. */
  reload(config: ResourceConfig): void {
    this.#config = config;
  }

  /** Sends a request; `owner` hears the outcome, never inside this call. */
  request(request: RemoteRequest, owner: RemoteLegOwner): void {
    assert(this.#open, 'request on a closed session');
    const { command, offset, length, memsync } = request;
    const seq = this.#nextSeq++;
    const now = this.#ports.clock.now();
    if (this.#outstanding.size === 0) this.#quietSince = now;
    this.#outstanding.set(seq, { owner, request, sentAt: now, received: false });
    const message = { command, seq, offset, length, memsync };
    if (command !== 'write' || request.data === null) {
      this.#connA.send([requestFrame(this.version, message, null)]);
      return;
    }
    const payload = sealPayload(this.#ports.codecs, this.#config, request.data);
    const frame = requestFrame(this.version, message, payload.spec);
    if (request.copy && payload.data === request.data) this.#sendCopy(frame, payload.data);
    else this.#connA.send([frame, payload.data]);
  }

  #sendCopy(frame: Uint8Array, data: Uint8Array): void {
    const copy = this.#copies.take(data.length);
    copy.set(data);
    const messageSent = (): void => {
      this.#copies.give(copy);
    };
    this.#connA.send([frame, copy], { messageSent });
  }

  /** Tells an own peer whether its copy is complete (W8); the reference sees a plain keepalive. */
  announce(insync: boolean): void {
    this.#keepalive(insync);
  }

  /** Ends the session: outstanding requests finish with ENOTCONN; the owner is not told. */
  close(): void {
    this.#end(portError('ENOTCONN', 'the session was closed'));
  }

  #keepalive(insync: boolean | null): void {
    this.#connA.send([encodeFrame(this.version, encodeRequest({ command: 'keepalive', insync }))]);
  }

  #sink(heard: (list: NvList) => Following): ConnectionSink {
    return {
      connected: () => undefined,
      listReceived: (_version, bytes) => {
        const list = decodeNv(bytes);
        if (!isPortError(list)) return heard(list);
        this.#lose(list);
        return null;
      },
      payloadReceived: () => {
        this.#readAnswered();
      },
      lost: (error) => {
        this.#lose(error ?? portError('ECONNRESET', 'the peer closed the connection'));
      },
    };
  }

  #unexpected(_list: NvList): Following {
    this.#lose(portError('EPROTO', 'unexpected message on the request connection'));
    return null;
  }

  #replied(list: NvList): Following {
    const reply = decodeReply(list);
    const entry = this.#outstanding.get(reply.seq);
    this.#quietSince = this.#ports.clock.now();
    if (entry === undefined) {
      this.#ports.log.write('error', `Reply to an unknown request (seq=${String(reply.seq)}) ignored.`);
      return null;
    }
    if (reply.error !== null) {
      this.#answered(reply.seq, entry, portError(reply.error, `the peer answered ${reply.error}`));
    } else if (reply.received && entry.request.memsync) {
      if (!entry.received) entry.owner.remoteReceived();
      entry.received = true;
    } else if (entry.request.command === 'read') {
      return this.#expectData(reply.seq, entry, list);
    } else {
      this.#answered(reply.seq, entry, null);
    }
    return null;
  }

  #expectData(seq: number, entry: Outstanding, list: NvList): Following {
    const target = entry.request.data;
    assert(target !== null, 'a READ has a buffer');
    const spec = readPayloadSpec(list);
    const misfit =
      spec === null
        ? portError('EPROTO', 'the answer to a READ holds no data')
        : isPortError(spec)
          ? spec
          : payloadFits(spec, target.length);
    if (misfit !== null || spec === null || isPortError(spec)) {
      this.#lose(misfit ?? portError('EPROTO', 'no data'));
      return null;
    }
    const buffer = spec.compression === 'none' ? target : newBuffer(spec.size);
    this.#receiving = { seq, entry, spec, buffer };
    return buffer;
  }

  #readAnswered(): void {
    const receiving = this.#receiving;
    this.#receiving = null;
    if (receiving === null) return;
    const { seq, entry, spec, buffer } = receiving;
    const error = openPayload(this.#ports.codecs, spec, buffer, entry.request.data ?? buffer);
    if (error !== null) this.#lose(error);
    else this.#answered(seq, entry, null);
  }

  #answered(seq: number, entry: Outstanding, error: PortError | null): void {
    this.#outstanding.delete(seq);
    entry.owner.remoteFinished(error);
  }

  readonly #watch = (): void => {
    const now = this.#ports.clock.now();
    this.#tick = this.#ports.clock.after(TICK_MS, this.#watch);
    const timeoutMs = this.#config.timeout * 1000;
    const [oldest] = this.#outstanding.values();
    const heardAt = Math.max(this.#connB.lastReceivedAt, this.#quietSince);
    const stuck = this.#connA.unsentBytes > 0 && now - this.#connA.lastSentAt > timeoutMs;
    const silent = oldest !== undefined && now - heardAt > timeoutMs;
    const overdue = oldest !== undefined && now - oldest.sentAt > timeoutMs + 2 * KEEPALIVE_MS;
    if (stuck || silent || overdue) {
      this.#lose(portError('ETIMEDOUT', 'the peer does not answer'));
      return;
    }
    if (this.#connA.unsentBytes === 0 && now - this.#connA.lastSentAt >= KEEPALIVE_MS) this.#keepalive(null);
    if (oldest === undefined && now - heardAt >= KEEPALIVE_MS) this.#probe();
  };

  #probe(): void {
    const data = newBuffer(this.#probeBytes);
    const request = {
      command: 'read',
      offset: 0,
      length: data.length,
      data,
      memsync: false,
      copy: false,
    } as const;
    this.request(request, { remoteReceived: () => undefined, remoteFinished: () => undefined });
  }

  #lose(error: PortError): void {
    if (!this.#open) return;
    this.#end(error);
    this.#owner.sessionLost(error);
  }

  #end(error: PortError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#tick.cancel();
    this.#connA.close();
    this.#connB.close();
    this.#receiving = null;
    const lost = [...this.#outstanding.values()];
    this.#outstanding.clear();
    for (const { owner } of lost) owner.remoteFinished(portError('ENOTCONN', error.message));
  }
}
