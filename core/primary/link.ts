import { Dialer, type Credentials, type DialOptions, type DialResult } from '../handshake/dialer.js';
import { bitmapBytes } from '../metadata/geometry.js';
import type { Metadata } from '../metadata/codec.js';
import type { Timer } from '../ports/clock.js';
import type { Codecs } from '../ports/codecs.js';
import { portError, type PortError } from '../ports/error.js';
import type { Network } from '../ports/network.js';
import { SPLIT_BRAIN } from '../wire/handshake-messages.js';
import type { Parts } from './parts.js';
import { Session } from './session.js';

export interface LinkOwner {
  /** The first attempt to reach the peer has ended, well or not. `wait`: the peer is still primary. */
  attempted(outcome: 'connected' | 'failed' | 'wait'): void;
  connected(): void;
  disconnected(): void;
}

type Connected = Extract<DialResult, { kind: 'connected' }>;

const RECONNECT_MS = 10_000;
/** The first attempt after the end of a session that has lasted. */
const RETURN_MS = 1_000;
const WAIT_RETRY_MS = 1_000;
const MAX_BACKOFF_MS = 300_000;
/** A map is rounded up to the peer's sector, and the reference may send more (core/spec/metadata.md 3.2). */
const MAP_SLACK_BYTES = 1024 * 1024;

/**
 * The primary's tie to its peer: dials, judges the handshake's answer, holds the session, and dials again after a loss,
 * every 10 s, with back-off after faults of the peer (W1). What a handshake decides is durable before the session is used:
 *
 *   sizes agree -> merge the peer's map, make it durable (I11) -> counters, incomplete mark (W8) -> event -> install
 */
export class Link {
  readonly #parts: Parts;
  readonly #ports: { network: Network; codecs: Codecs };
  readonly #owner: LinkOwner;
  #dialer: Dialer | null = null;
  /** A handshake that is being made durable. */
  #accepting: Connected | null = null;
  #session: Session | null = null;
  #retry: Timer | null = null;
  #stopped = false;
  #everConnected = false;
  #connectedAt = 0;
  #backoffMs = RECONNECT_MS;
  #nextSeq = 1;
  #toldCount = 0n;
  #lastComplaint = '';
  /** The peer has answered something, or an attempt has ended. */
  contacted = false;
  /** The peer's counters as of the handshake; it does not change them during the session. */
  peerCounts = { localcnt: 0n, remotecnt: 0n };

  constructor(parts: Parts, ports: { network: Network; codecs: Codecs }, owner: LinkOwner) {
    this.#parts = parts;
    this.#ports = ports;
    this.#owner = owner;
  }

  /** The session in use, or null: requests go to the local component alone. */
  get session(): Session | null {
    return this.#session?.open === true ? this.#session : null;
  }

  /** Dials now, unless there is a session or an attempt already. */
  connect(): void {
    this.#retry?.cancel();
    this.#retry = null;
    const { config, clock, map } = this.#parts;
    const busy = this.#dialer !== null || this.#accepting !== null || this.#session !== null;
    if (this.#stopped || busy || config.remoteaddr === 'none') return;
    const options: DialOptions = {
      resource: config.name,
      remote: config.remoteaddr,
      source: config.sourceaddr === '' ? null : config.sourceaddr,
      timeoutMs: config.timeout * 1000,
      maxMapBytes: bitmapBytes(map.datasize, map.extentsize) + MAP_SLACK_BYTES,
    };
    this.#dialer = new Dialer({ clock, ...this.#ports }, options, this);
  }

  /** The peer answered a request with an error: it is not up to date (W1). Ends the session; back-off grows. */
  peerFault(error: PortError): void {
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    this.drop(error);
  }

  /** A synchronisation completed: the peer is healthy. */
  peerHealthy(): void {
    this.#backoffMs = RECONNECT_MS;
  }

  /** Ends the session or the attempt; dials again later. */
  drop(error: PortError): void {
    this.#abandonAttempt();
    const session = this.#session;
    if (session === null) {
      this.#retryAfter(RECONNECT_MS);
    } else {
      session.close();
      this.sessionLost(error);
    }
  }

  /** Ends everything for good, quietly. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#abandonAttempt();
    if (this.#session === null) return;
    this.#session.close();
    this.#session = null;
    this.#parts.map.peerLost();
  }

  #abandonAttempt(): void {
    this.#dialer?.cancel();
    this.#dialer = null;
    if (this.#accepting !== null) closeBoth(this.#accepting);
    this.#accepting = null;
  }

  credentials(done: (error: PortError | null, credentials: Credentials | null) => void): void {
    const { lineage, metadata } = this.#parts;
    this.contacted = true;
    lineage.identify((error, virgin) => {
      const { resuid, localcnt, remotecnt } = metadata.current;
      this.#toldCount = localcnt;
      done(error, error === null ? { virgin, resuid, localcnt, remotecnt } : null);
    });
  }

  dialled(result: DialResult): void {
    this.#dialer = null;
    this.contacted = true;
    if (result.kind === 'connected') this.#judge(result);
    else if (result.kind === 'refused') this.#refused(result.message, result.wait);
    else this.#failed(result.stage, result.error);
  }

  sessionLost(error: PortError): void {
    if (this.#session === null) return;
    const { config, map, log } = this.#parts;
    this.#nextSeq = this.#session.nextSeq;
    this.#session = null;
    log.write('warning', `Disconnected from ${config.remoteaddr}. (${error.message})`);
    map.peerLost();
    this.#parts.event('disconnect');
    const lasted = this.#parts.clock.now() - this.#connectedAt >= RECONNECT_MS;
    this.#retryAfter(lasted && this.#backoffMs === RECONNECT_MS ? RETURN_MS : this.#backoffMs);
    this.#owner.disconnected();
  }

  #retryAfter(delayMs: number): void {
    const { truth, clock } = this.#parts;
    // Requests may be held, no longer than the timeout, because the newest data is on the peer (W9).
    const needed = truth.outOfDate || truth.localBad.length > 0;
    this.#retry?.cancel();
    this.#retry = clock.after(needed ? Math.min(delayMs, RETURN_MS) : delayMs, () => {
      this.connect();
    });
  }

  #refused(message: string, wait: boolean): void {
    this.#complain('warning', message);
    if (message === SPLIT_BRAIN) this.#parts.event('split-brain');
    else if (message.startsWith('Resource unique ID mismatch')) this.#parts.event('mismatch');
    else if (wait) this.#parts.event('dual-primary');
    this.#retryAfter(wait && !this.#everConnected ? WAIT_RETRY_MS : this.#backoffMs);
    this.#owner.attempted(wait ? 'wait' : 'failed');
  }

  #failed(stage: string | null, error: PortError): void {
    const text = stage === null ? error.message : `Unable to ${stage}: ${error.message}`;
    this.#complain('warning', `Unable to connect to ${this.#parts.config.remoteaddr}: ${text}.`);
    this.#retryAfter(this.#backoffMs);
    this.#owner.attempted('failed');
  }

  /** Says a thing once, however often it is met (W31); the repetitions are for debugging. */
  #complain(level: 'warning' | 'error', text: string): void {
    this.#parts.log.write(text === this.#lastComplaint ? 'debug1' : level, text);
    this.#lastComplaint = text;
  }

  #judge(result: Connected): void {
    const { map, metadata } = this.#parts;
    const { reply } = result;
    this.#accepting = result;
    const fault = this.#mismatch(result);
    if (fault !== null) {
      this.#giveUp(result, fault);
      this.#parts.event('mismatch');
      return;
    }
    const { localcnt, remotecnt, incomplete } = metadata.current;
    const equal = !reply.virgin && reply.localcnt === remotecnt && reply.remotecnt === localcnt;
    // Equal counters and nothing to copy: it was completed, and nobody could tell this node.
    if (incomplete && reply.syncsrc !== 'secondary' && !(equal && map.syncCount === 0)) {
      this.#giveUp(result, 'this copy is incomplete, and the peer is not where it was being copied from');
      return;
    }
    if (result.map === null) {
      this.#mapStored(result, null);
      return;
    }
    map.merge(result.map);
    this.#parts.mapStore.persist({
      mapPersisted: (error) => {
        this.#mapStored(result, error);
      },
    });
  }

  #mismatch(result: Connected): string | null {
    const { map, truth } = this.#parts;
    const { datasize, extentsize } = result.reply;
    if (datasize !== map.datasize) {
      return `Data size differs between nodes (local=${String(map.datasize)}, remote=${String(datasize)})`;
    }
    if (extentsize !== map.extentsize) {
      return `Extent size differs between nodes (local=${String(map.extentsize)}, remote=${String(extentsize)})`;
    }
    if (result.reply.virgin && truth.localBad.length > 0) {
      return 'The peer was created anew, but the only good copy of some data was on it; overwrite that data first';
    }
    if (result.map !== null && result.map.length < bitmapBytes(map.datasize, map.extentsize)) {
      return `The peer's activemap is too short (${String(result.map.length)} bytes)`;
    }
    return null;
  }

  #mapStored(result: Connected, error: PortError | null): void {
    if (this.#accepting !== result) return;
    if (error !== null) {
      this.#giveUp(result, `unable to store the peer's activemap: ${error.message}`);
      return;
    }
    const { metadata, truth } = this.#parts;
    const { reply } = result;
    if (this.#wroteAlone(result)) return;
    const outOfDate = reply.syncsrc === 'secondary';
    const { localcnt, remotecnt, incomplete } = metadata.current;
    // A peer that was created anew counts from 0 again: a greater number here would hide what it will write alone (I12).
    const anew = reply.localcnt < remotecnt;
    // Two virgins are equal, and a count would say of this node that it had written alone (I13).
    const first = reply.virgin && result.map !== null && localcnt === 0n;
    // From now on nothing is acknowledged that only this node has; the other way round not before it is durable.
    truth.outOfDate ||= outOfDate;
    if (incomplete === outOfDate && !first && !anew) {
      truth.outOfDate = outOfDate;
      this.#install(result);
      return;
    }
    const change = (current: Metadata): Partial<Metadata> => ({
      incomplete: outOfDate,
      localcnt: first && current.localcnt === 0n ? 1n : current.localcnt,
      remotecnt: anew ? reply.localcnt : current.remotecnt,
    });
    metadata.update(change, (failure) => {
      if (this.#accepting !== result) return;
      if (failure !== null) {
        truth.outOfDate = incomplete;
        this.#parts.intake.resume();
        this.#giveUp(result, `unable to store metadata: ${failure.message}`);
        return;
      }
      if (first) this.#toldCount = 1n;
      truth.outOfDate = outOfDate;
      this.#install(result);
    });
  }

  #install(result: Connected): void {
    const { config, clock, log, disk } = this.#parts;
    if (this.#wroteAlone(result)) return;
    if (!result.connA.open || !result.connB.open) {
      this.#giveUp(result, 'the peer closed the connection');
      return;
    }
    this.#accepting = null;
    this.peerCounts = { localcnt: result.reply.localcnt, remotecnt: result.reply.remotecnt };
    const again = this.#everConnected ? 'Successfully reconnected' : 'Connected';
    log.write('info', `${again} to ${config.remoteaddr}.`);
    this.#everConnected = true;
    this.#lastComplaint = '';
    this.#connectedAt = clock.now();
    this.#parts.event('connect');
    const { version, connA, connB } = result;
    const parts = { version, connA, connB, firstSeq: this.#nextSeq, sectorSize: disk.sectorSize };
    this.#session = new Session({ clock, log, codecs: this.#ports.codecs }, parts, config, this);
    this.#owner.connected();
    this.#owner.attempted('connected');
  }

  /** A lonely write was acknowledged during the handshake: the peer judged by counters of the past. */
  #wroteAlone(result: Connected): boolean {
    const { lineage, metadata } = this.#parts;
    if (!lineage.storing && metadata.current.localcnt === this.#toldCount) return false;
    this.#giveUp(result, 'this node wrote alone during the handshake', 0);
    return true;
  }

  #giveUp(result: Connected, reason: string, retryMs = this.#backoffMs): void {
    closeBoth(result);
    this.#accepting = null;
    this.#complain('error', `Handshake with ${this.#parts.config.remoteaddr} failed: ${reason}.`);
    this.#retryAfter(retryMs);
    this.#owner.attempted('failed');
  }
}

function closeBoth(result: Connected): void {
  result.connA.close();
  result.connB.close();
}

export const SESSION_DROPPED = portError('ECONNABORTED', 'dropped by a change of configuration');
