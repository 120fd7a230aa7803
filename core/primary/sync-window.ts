/**
 * How many bytes a synchronisation should have in flight: what arrives in the time that a chunk needs at least, and a little
 * more, so that the slowest part of the way, a disk or the network, always has something to do and nothing piles up in front of it.
 *
 *   window = rate * (least delay + queue) + chunk     rate: of the last round; queue: the greater of 1 ms and half the least delay
 *
 * While the way is not full, the rate is window / delay, and the window grows by (least delay + queue) / delay in every round, at
 * most twofold. Once it is full, the rate is that of the slowest part, whatever the window, and one more round sets the window
 * to what that part needs. Only whole chunks are in flight: with one more, a window of few of them grows, too. So it ends within its bounds or where a chunk waits for `queue`, and nowhere else.
 *
 * Who always keeps a queue never again sees how short the delay can be. So every 10 s there is a survey: the window is at
 * its least until what was in flight has arrived, and for one more round, which measures the delay; the next rounds measure the
 * rate. No clock, no ports: times are what the caller says, in milliseconds.
 */

export interface WindowBounds {
  readonly chunkBytes: number;
  readonly leastBytes: number;
  readonly firstBytes: number;
  readonly mostBytes: number;
}

/** A round is as long as it takes until all that was in flight has arrived, and this at least: a rate needs time to be one. */
const LEAST_ROUND_MS = 5;
const SURVEY_EVERY_MS = 10_000;
const PROBE_ROUNDS = 4;
const LEAST_QUEUE_MS = 1;
const QUEUE_SHARE = 0.5;
/** A single bad round, of a process that did not get to run, takes no more than a quarter of the window. */
const MOST_SHRINKING = 0.75;

export class SyncWindow {
  readonly #bounds: WindowBounds;
  #bytes: number;
  #phase: 'probing' | 'steady' | 'draining' | 'measuring' = 'probing';
  #probesLeft = PROBE_ROUNDS;
  #surveyAtMs = Infinity;
  #leastDelayMs = Infinity;
  #freeRate = 0;
  #inFlightBytes = 0;
  #settledBytes = 0;
  #idleSinceMs: number;
  #round = { startedMs: 0, endsAtBytes: 0, deliveredBytes: 0, leastDelayMs: Infinity, paced: false };

  constructor(bounds: WindowBounds, nowMs: number) {
    this.#bounds = bounds;
    this.#bytes = bounds.firstBytes;
    this.#idleSinceMs = nowMs;
    this.#beginRound(nowMs);
  }

  /** May be in flight now. */
  get bytes(): number {
    const surveying = this.#phase === 'draining' || this.#phase === 'measuring';
    return surveying ? this.#bounds.leastBytes : this.#bytes;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** The rate is being measured: nothing but the window should hold chunks up. */
  get isProbing(): boolean {
    return this.#phase === 'probing';
  }

  /** Of the last rounds that were not held up; bytes per millisecond, 0 while unknown. */
  get freeRate(): number {
    return this.#freeRate;
  }

  /** Something other than the window holds chunks up: the rate of this round says nothing about the way. */
  heldUp(): void {
    this.#round.paced = true;
  }

  started(bytes: number, nowMs: number): void {
    // Nothing was asked for in the meantime.
    if (this.#inFlightBytes === 0) this.#round.startedMs += nowMs - this.#idleSinceMs;
    this.#inFlightBytes += bytes;
  }

  /** `delayMs`: since it was started; null when it failed. */
  finished(bytes: number, delayMs: number | null, nowMs: number): void {
    const round = this.#round;
    this.#inFlightBytes -= bytes;
    this.#settledBytes += bytes;
    if (this.#inFlightBytes === 0) this.#idleSinceMs = nowMs;
    if (delayMs !== null) {
      round.deliveredBytes += bytes;
      round.leastDelayMs = Math.min(round.leastDelayMs, delayMs);
    }
    const isOver = this.#settledBytes >= round.endsAtBytes && nowMs - round.startedMs >= LEAST_ROUND_MS;
    if (isOver) this.#endRound(nowMs);
  }

  #beginRound(nowMs: number): void {
    this.#round = {
      startedMs: nowMs,
      endsAtBytes: this.#settledBytes + this.#inFlightBytes,
      deliveredBytes: 0,
      leastDelayMs: Infinity,
      paced: false,
    };
  }

  #endRound(nowMs: number): void {
    const { startedMs, deliveredBytes, leastDelayMs, paced } = this.#round;
    if (this.#phase === 'measuring' && leastDelayMs < Infinity) this.#leastDelayMs = leastDelayMs;
    this.#leastDelayMs = Math.min(this.#leastDelayMs, leastDelayMs);
    if (this.#phase === 'probing' || this.#phase === 'steady') {
      const rate = deliveredBytes / (nowMs - startedMs);
      this.#adjust(rate);
      if (!paced) this.#freeRate = this.#freeRate === 0 ? rate : (this.#freeRate + rate) / 2;
    }
    this.#nextPhase(nowMs);
    this.#beginRound(nowMs);
  }

  #adjust(rate: number): void {
    if (this.#leastDelayMs === Infinity) return;
    const queueMs = Math.max(LEAST_QUEUE_MS, this.#leastDelayMs * QUEUE_SHARE);
    const wanted = rate * (this.#leastDelayMs + queueMs) + this.#bounds.chunkBytes;
    const step = Math.min(Math.max(wanted, this.#bytes * MOST_SHRINKING), this.#bytes * 2);
    this.#bytes = Math.min(Math.max(step, this.#bounds.leastBytes), this.#bounds.mostBytes);
  }

  #nextPhase(nowMs: number): void {
    switch (this.#phase) {
      case 'draining':
        this.#phase = 'measuring';
        return;
      case 'measuring':
        this.#phase = 'probing';
        this.#probesLeft = PROBE_ROUNDS;
        return;
      case 'probing':
        this.#probesLeft--;
        if (this.#probesLeft > 0) return;
        this.#phase = 'steady';
        this.#surveyAtMs = nowMs + SURVEY_EVERY_MS;
        return;
      case 'steady':
        if (nowMs >= this.#surveyAtMs) this.#phase = 'draining';
    }
  }
}
