/**
 * The way from one machine to another, in one direction (core/spec/faults.md section 4): how long a packet takes, what
 * pieces it travels in, and whether anything passes at all. Each kind of randomness has a stream of its own, so that
 * a fault that is taken away leaves the others as they were.
 */
import type { Host } from './lan.js';
import { Random } from './random.js';

export interface LinkConditions {
  /** Every packet takes a random time in this range. */
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** One packet in so many takes up to `spikeMs` more; 0: none does. */
  readonly spikeOneIn: number;
  readonly spikeMs: number;
  /** A packet leaves when all before it have left at this rate; Infinity: at once. */
  readonly bytesPerMs: number;
  /** One burst in so many travels in several pieces of random lengths, 1 byte too; 0: none does. */
  readonly fragmentOneIn: number;
  /** What arrives is noticed at multiples of this only, so several packets are read as one; 0: at once. */
  readonly coalesceMs: number;
  /** The end of a connection, FIN or RST, takes so much more. */
  readonly closeDelayMs: number;
}

/** What happens when the bytes of `cutAfterBytes` have passed: silence, or a reset at both ends. */
export type Severance = 'cut' | 'reset';

/** Lets a number of bytes pass. */
export interface Fuse {
  bytesLeft: number;
  readonly then: Severance;
}

export const LAN_CONDITIONS: LinkConditions = {
  minLatencyMs: 0.05,
  maxLatencyMs: 1,
  spikeOneIn: 0,
  spikeMs: 0,
  bytesPerMs: Infinity,
  fragmentOneIn: 8,
  coalesceMs: 0,
  closeDelayMs: 0,
};
export const LOCAL_CONDITIONS: LinkConditions = { ...LAN_CONDITIONS, minLatencyMs: 0.01, maxLatencyMs: 0.05 };

/** Nobody notices less than that. */
const SLOW_LATENCY_MS = 10;
const SLOW_BYTES_PER_MS = 10_000;

export class Link {
  readonly from: Host;
  readonly to: Host;
  readonly #normal: LinkConditions;
  readonly #latencies: Random;
  readonly #spikes: Random;
  readonly #fragments: Random;
  readonly #resets: Random;
  #conditions: LinkConditions;
  #isCut = false;
  #isSlow = false;
  /** When everything that was sent so far has left. */
  #freeAtMs = 0;
  fuse: Fuse | null = null;

  constructor(seed: number, from: Host, to: Host, normal: LinkConditions) {
    const name = `${from.name}->${to.name}`;
    this.from = from;
    this.to = to;
    this.#normal = this.#conditions = normal;
    this.#latencies = new Random(seed, `link ${name}`);
    this.#spikes = new Random(seed, `spikes ${name}`);
    this.#fragments = new Random(seed, `fragments ${name}`);
    this.#resets = new Random(seed, `resets ${name}`);
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Everything passes, at its usual pace as far as anybody would notice. */
  get isUsual(): boolean {
    return !this.#isCut && !this.#isSlow && this.fuse === null && this.#conditions.closeDelayMs === 0;
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  get conditions(): LinkConditions {
    return this.#conditions;
  }

  /** For what is sent from now on. */
  change(changes: Partial<LinkConditions>): void {
    this.#conditions = { ...this.#conditions, ...changes };
    const { maxLatencyMs, coalesceMs, bytesPerMs, spikeOneIn } = this.#conditions;
    const isLate = maxLatencyMs + coalesceMs > SLOW_LATENCY_MS || spikeOneIn > 0;
    this.#isSlow = isLate || bytesPerMs < SLOW_BYTES_PER_MS;
    this.#freeAtMs = 0;
  }

  /**
   * Silence, as when packets vanish: what is under way waits, as TCP's retransmissions do, and arrives when the link is
   * healed.
   */
  cut(): void {
    this.#isCut = true;
    this.fuse = null;
  }

  /** Lets `bytes` more bytes of all connections together arrive, then severs the link. */
  cutAfterBytes(bytes: number, then: Severance): void {
    this.fuse = { bytesLeft: bytes, then };
  }

  /** Undoes `cut` and `cutAfterBytes`. */
  heal(): void {
    this.#isCut = false;
    this.fuse = null;
    this.from.lan.resume();
  }

  /** As it was at first. */
  restore(): void {
    this.change(this.#normal);
    this.heal();
  }

  /** When a packet that is sent at `nowMs` arrives, if it is not kept waiting by others of its connection. */
  arrivalMs(nowMs: number, bytes: number): number {
    const { minLatencyMs, maxLatencyMs, spikeOneIn, spikeMs, bytesPerMs, coalesceMs } = this.#conditions;
    const leftAtMs = Math.max(nowMs, this.#freeAtMs) + bytes / bytesPerMs;
    this.#freeAtMs = leftAtMs;
    // Whole microseconds, for people who read them.
    let arrivalMs =
      leftAtMs + minLatencyMs + this.#latencies.below((maxLatencyMs - minLatencyMs) * 1000 + 1) / 1000;
    if (spikeOneIn > 0 && this.#spikes.chance(1, spikeOneIn))
      arrivalMs += this.#spikes.below(spikeMs * 1000 + 1) / 1000;
    return coalesceMs > 0 ? Math.ceil(arrivalMs / coalesceMs) * coalesceMs : arrivalMs;
  }

  /** Does the next burst travel in pieces? */
  fragments(): boolean {
    const { fragmentOneIn } = this.#conditions;
    return fragmentOneIn > 0 && this.#fragments.chance(1, fragmentOneIn);
  }

  /** How long the first piece of `bytes` bytes (at least 2) is. */
  fragmentBytes(bytes: number): number {
    return this.#fragments.chance(1, 4) ? 1 : 1 + this.#fragments.below(bytes - 1);
  }

  /** Does the rest of a burst break again? */
  fragmentsAgain(): boolean {
    return this.#fragments.chance(1, 2);
  }

  /** A reset may overtake what its receiver has not read yet. */
  discardsUnread(): boolean {
    return this.#resets.chance(1, 2);
  }
}
