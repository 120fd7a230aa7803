import { describe, expect, it } from 'vitest';
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { rateAllowed, SyncPace } from '../../core/primary/sync-pace.js';

const CHUNK = 1_000;

/** Starts chunks as early as it may, at moments that are so far apart. */
function startedIn(rate: number, durationMs: number, everyMs: number): number {
  const pace = new SyncPace();
  let bytes = 0;
  for (let nowMs = 0; nowMs < durationMs; nowMs += everyMs) {
    while (pace.delayMs(rate, nowMs) <= 0 && bytes < 1e9) {
      pace.started(CHUNK, rate, nowMs);
      bytes += CHUNK;
    }
  }
  return bytes;
}

describe('the pace of a synchronisation', () => {
  it('keeps a rate, whenever it is asked', () => {
    for (const [rate, everyMs] of [
      [100, 0.1],
      [100, 1],
      [1_000, 1],
      [5_000, 1],
    ] as const) {
      expect(startedIn(rate, 1_000, everyMs) / (rate * 1_000)).toBeCloseTo(1, 1);
    }
  });

  it('gives up what was not used', () => {
    const pace = new SyncPace();
    pace.started(CHUNK, 1_000, 0);
    let started = 0;
    while (pace.delayMs(1_000, 500) <= 0) {
      pace.started(CHUNK, 1_000, 500);
      started++;
    }
    expect(started).toBeLessThanOrEqual(3);
  });

  it('lets another rate count at once', () => {
    const pace = new SyncPace();
    pace.started(CHUNK, 1, 0);
    expect(pace.delayMs(1, 100)).toBeGreaterThan(500);
    expect(pace.delayMs(100, 100)).toBe(0);
    expect(pace.delayMs(Infinity, 0)).toBe(0);
  });
});

describe('the rate allowed', () => {
  it('is without limits when nobody else is there and nothing was configured', () => {
    expect(rateAllowed(DEFAULT_SYNCRATE, 500, false)).toBe(Infinity);
  });

  it('leaves an application most of the way, and never nothing to the synchronisation', () => {
    expect(rateAllowed(DEFAULT_SYNCRATE, 100_000, true)).toBe(25_000);
    expect(rateAllowed(DEFAULT_SYNCRATE, 0, true)).toBeCloseTo(2 ** 20 / 1_000);
  });

  it('keeps within what was configured', () => {
    const limits = { leastPerS: 10_000_000, mostPerS: 20_000_000 };
    expect(rateAllowed(limits, 1_000_000, false)).toBe(20_000);
    expect(rateAllowed(limits, 1_000_000, true)).toBe(20_000);
    expect(rateAllowed(limits, 20_000, true)).toBe(10_000);
  });
});
