import type { SyncRate } from '../config/types.js';

/**
 * How fast chunks may follow each other. A rate of bytes is kept over time: what was not used is given up but for the last
 * 2 ms, in which a timer may come late. It is asked with the rate of the moment, so that another rate counts at once.
 * Times are what the caller says, in milliseconds; rates are bytes per millisecond.
 */
const SAVED_MS = 2;

export class SyncPace {
  /** When the last chunk was due, and what has to be waited for since. */
  #dueMs = -Infinity;
  #bytes = 0;

  /** How long the next chunk has to wait; 0: it may start. */
  delayMs(rate: number, nowMs: number): number {
    return Math.max(0, this.#nextMs(rate) - nowMs);
  }

  started(bytes: number, rate: number, nowMs: number): void {
    this.#dueMs = Math.max(this.#nextMs(rate), nowMs - SAVED_MS);
    this.#bytes = bytes;
  }

  #nextMs(rate: number): number {
    return this.#dueMs + this.#bytes / rate;
  }
}

/** A busy application leaves so much of what could be copied without it. */
const SHARE_BESIDE_APPLICATION = 0.25;

/** Bytes per millisecond; `freeRate` is what is copied without limits, `yields` whether an application is busy. */
export function rateAllowed(limits: SyncRate, freeRate: number, yields: boolean): number {
  const most = limits.mostPerS === null ? Infinity : limits.mostPerS / 1000;
  if (!yields) return most;
  return Math.min(most, Math.max(limits.leastPerS / 1000, freeRate * SHARE_BESIDE_APPLICATION));
}
