import { portError, type Done, type PortError } from '../ports/error.js';
import type { Timer } from '../ports/clock.js';
import type { Parts } from './parts.js';
import type { RemoteRequest, Session } from './session.js';

/** What became of a flush of both nodes. */
export interface FlushOutcome {
  /** Null, or why the local cache could not be flushed. */
  readonly local: PortError | null;
  /** `unsupported`: the peer has nothing that it could flush; `absent`: no session when it began. */
  readonly remote: 'ok' | 'unsupported' | 'failed' | 'absent';
}

const PEER_DID_NOT_FLUSH = portError('EIO', 'the peer, which has the only copy, did not flush it');

const FLUSH: RemoteRequest = {
  command: 'flush',
  offset: 0,
  length: 0,
  data: null,
  memsync: false,
  copy: false,
};
const FLUSH_DELAY_MS = 5_000;
const FLUSH_EXTENTS = 1_024;
/** Of every flush of the core's own for many extents: so many times as long as it took, the disks are left to the application. */
const PAUSE_FACTOR = 4;

/**
 * Flushes of both nodes, which are what takes dirty bits off the disk (W15): the application's own, those at the end of a
 * synchronisation, and one of the core's when bits have waited for 5 s or 1,024 of them have come together. Where flushes take
 * long, those for 1,024 take no more than a fifth of the time: what applications write is seldom cold for long.
 */
export class Flusher {
  readonly #parts: Parts;
  #timer: Timer | null = null;
  #flushing = false;
  /** When the core may flush because of many extents. */
  #pausedUntilMs = 0;
  #peerFlushing = false;
  #peerWaiters: Done[] = [];
  #warnedLocal = false;
  #warnedRemote = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Something was written on both nodes whose bits a flush must cover. */
  written(): void {
    if (this.#flushing) return;
    const { map, clock } = this.#parts;
    if (map.unflushedCount >= FLUSH_EXTENTS && clock.now() >= this.#pausedUntilMs) this.#clearBits();
    else this.#timer ??= clock.after(FLUSH_DELAY_MS, this.#due);
  }

  /** Flushes both nodes; everything finished before this call is covered. */
  flush(done: (outcome: FlushOutcome) => void): void {
    const { map, disk, link, statistics } = this.#parts;
    const generation = map.flushStarted();
    let local: PortError | null = null;
    let remote: FlushOutcome['remote'] = 'absent';
    let pending = 1;
    const legFinished = (): void => {
      pending--;
      if (pending === 0) this.#finish(generation, { local, remote }, done);
    };
    if (link.session !== null) {
      pending++;
      this.#requestFlush(link.session, (result) => {
        remote = result;
        legFinished();
      });
    }
    statistics.localQueue++;
    disk.flush((error) => {
      statistics.localQueue--;
      local = error;
      this.#localResult(error);
      legFinished();
    });
  }

  /** Flushes the peer alone; an error when it could not, or is not there. Who asks during a flush shares the next one. */
  flushPeer(done: Done): void {
    this.#peerWaiters.push(done);
    if (!this.#peerFlushing) this.#flushPeerNow();
  }

  #flushPeerNow(): void {
    const waiters = this.#peerWaiters;
    this.#peerWaiters = [];
    const { session } = this.#parts.link;
    if (session === null) {
      for (const done of waiters) done(portError('EIO', 'the peer, which has the only copy, is gone'));
      return;
    }
    this.#peerFlushing = true;
    this.#requestFlush(session, (result) => {
      this.#peerFlushing = false;
      if (this.#peerWaiters.length > 0) this.#flushPeerNow();
      for (const done of waiters) done(result === 'failed' ? PEER_DID_NOT_FLUSH : null);
    });
  }

  #requestFlush(session: Session, done: (result: 'ok' | 'unsupported' | 'failed') => void): void {
    session.request(FLUSH, {
      remoteReceived: () => undefined,
      remoteFinished: (error) => {
        done(this.#remoteResult(error));
      },
    });
  }

  #finish(generation: number, outcome: FlushOutcome, done: (outcome: FlushOutcome) => void): void {
    const { map, mapStore } = this.#parts;
    const localOk = outcome.local === null || outcome.local.code === 'EOPNOTSUPP';
    // After a lost session the sync bits keep what the peer may lack; the unflushed marks have done their duty.
    if (localOk && outcome.remote !== 'failed') {
      map.flushed(generation);
      mapStore.persist(null);
    }
    done(outcome);
  }

  #localResult(error: PortError | null): void {
    const { statistics, log } = this.#parts;
    if (error === null) return;
    statistics.failed('flush');
    if (error.code !== 'EOPNOTSUPP') {
      log.write('error', `Local request failed (${error.message}): FLUSH.`);
    } else if (!this.#warnedLocal) {
      this.#warnedLocal = true;
      log.write('warning', 'Local component cannot flush its cache; flushing depends on the peer alone.');
    }
  }

  /** 45 and 25 (a regular file on FreeBSD) mean that the peer has no way to flush; anything else is its fault. */
  #remoteResult(error: PortError | null): 'ok' | 'unsupported' | 'failed' {
    const { statistics, log, link } = this.#parts;
    if (error === null) return 'ok';
    if (error.code === 'EOPNOTSUPP' || error.code === 'ENOTTY') {
      if (!this.#warnedRemote) log.write('warning', 'The peer cannot flush its cache.');
      this.#warnedRemote = true;
      return 'unsupported';
    }
    statistics.remoteErrors++;
    if (error.code !== 'ENOTCONN') {
      log.write('error', `Remote request failed (${error.message}): FLUSH.`);
      link.peerFault(error);
    }
    return 'failed';
  }

  readonly #due = (): void => {
    this.#timer = null;
    const { map, link } = this.#parts;
    if (this.#flushing || link.session === null || map.flushOwed === 0) return;
    this.#clearBits();
  };

  #clearBits(): void {
    if (this.#parts.link.session === null) return;
    this.#flushing = true;
    this.#timer?.cancel();
    this.#timer = null;
    const { clock } = this.#parts;
    const startedMs = clock.now();
    this.flush(() => {
      this.#flushing = false;
      const nowMs = clock.now();
      this.#pausedUntilMs = nowMs + PAUSE_FACTOR * (nowMs - startedMs);
      if (this.#parts.map.flushOwed > 0) this.written();
    });
  }
}
