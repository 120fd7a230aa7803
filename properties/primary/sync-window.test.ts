import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyncWindow } from '../../core/primary/sync-window.js';

const CHUNK = 131_072;
const BOUNDS = { chunkBytes: CHUNK, leastBytes: 2 * CHUNK, firstBytes: 8 * CHUNK, mostBytes: 64 * CHUNK };

/** One slowest part that works off chunks in order, and a distance. */
interface Way {
  readonly bytesPerMs: number;
  readonly distanceMs: number;
}

/** A synchronisation over a way that may change, event by event. */
class Copying {
  readonly window = new SyncWindow(BOUNDS, 0);
  nowMs = 0;
  arrivedBytes = 0;
  #freeAtMs = 0;
  readonly #flights: { startedMs: number; arrivesMs: number }[] = [];

  run(way: Way, durationMs: number, seen: () => void = () => undefined): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      while (this.window.inFlightBytes + CHUNK <= this.window.bytes) this.#start(way);
      const [next] = this.#flights;
      if (next === undefined || next.arrivesMs > endMs) break;
      this.#flights.shift();
      this.nowMs = next.arrivesMs;
      this.arrivedBytes += CHUNK;
      this.window.finished(CHUNK, this.nowMs - next.startedMs, this.nowMs);
      seen();
    }
    this.nowMs = endMs;
  }

  #start({ bytesPerMs, distanceMs }: Way): void {
    this.window.started(CHUNK, this.nowMs);
    this.#freeAtMs = Math.max(this.#freeAtMs, this.nowMs) + CHUNK / bytesPerMs;
    const last = this.#flights.at(-1)?.arrivesMs ?? 0;
    this.#flights.push({ startedMs: this.nowMs, arrivesMs: Math.max(last, this.#freeAtMs + distanceMs) });
  }
}

/** 1 to 500 MB/s; up to a quarter of a second. */
const ways = fc.record({
  bytesPerMs: fc.double({ min: 1_000, max: 5e5, noNaN: true }),
  distanceMs: fc.double({ min: 0.05, max: 250, noNaN: true }),
});

/** What the way could bring, if a window as great as it may be were always full. */
function possible({ bytesPerMs, distanceMs }: Way): number {
  return Math.min(bytesPerMs, BOUNDS.mostBytes / (distanceMs + CHUNK / bytesPerMs));
}

function rateOver(copying: Copying, way: Way, durationMs: number): number {
  const before = copying.arrivedBytes;
  copying.run(way, durationMs);
  return (copying.arrivedBytes - before) / durationMs;
}

describe('the window of a synchronisation', () => {
  it('never leaves its bounds', () => {
    fc.assert(
      fc.property(fc.array(ways, { minLength: 1, maxLength: 4 }), (several) => {
        const copying = new Copying();
        let least = Infinity;
        let most = 0;
        for (const way of several) {
          copying.run(way, 1_000, () => {
            least = Math.min(least, copying.window.bytes);
            most = Math.max(most, copying.window.bytes, copying.window.inFlightBytes);
          });
        }
        expect(least).toBeGreaterThanOrEqual(BOUNDS.leastBytes);
        expect(most).toBeLessThanOrEqual(BOUNDS.mostBytes);
      }),
      { numRuns: 30 },
    );
  });

  it('soon uses what any way can carry', () => {
    fc.assert(
      fc.property(ways, (way) => {
        const copying = new Copying();
        copying.run(way, 20 * (way.distanceMs + CHUNK / way.bytesPerMs) + 200);
        // Long enough for surveys not to count.
        expect(rateOver(copying, way, 15_000) / possible(way)).toBeGreaterThan(0.85);
      }),
      { numRuns: 30 },
    );
  });

  it('finds its place again when the way becomes another', () => {
    fc.assert(
      fc.property(ways, ways, (before, after) => {
        const copying = new Copying();
        copying.run(before, 5_000);
        // A survey measures the delay anew.
        copying.run(after, 25_000);
        expect(rateOver(copying, after, 15_000) / possible(after)).toBeGreaterThan(0.85);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves no more waiting in front of the slowest part than its queue, and a few chunks', () => {
    fc.assert(
      fc.property(ways, (way) => {
        const copying = new Copying();
        copying.run(way, 12_000);
        const delayMs = way.distanceMs + CHUNK / way.bytesPerMs;
        const queueMs = Math.max(1, delayMs / 2);
        const wanted = way.bytesPerMs * (delayMs + queueMs);
        let most = 0;
        copying.run(way, 5_000, () => {
          if (!copying.window.isProbing) most = Math.max(most, copying.window.bytes);
        });
        expect(most).toBeLessThanOrEqual(Math.max(BOUNDS.leastBytes, 1.6 * wanted + 4 * CHUNK));
      }),
      { numRuns: 30 },
    );
  });
});
