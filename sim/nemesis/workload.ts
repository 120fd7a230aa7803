/**
 * The application's side of a history: which requests, where, and how close to each other. Each seed has habits of its own
 * (swarm testing): one only writes the last block, the next reads a lot, a third sends bursts of long writes.
 */
import type { Random } from '../random.js';
import { BLOCK_BYTES, type Request, type Setup } from '../script/script.js';
import { between, logUniform, pick, pickWeighted, powerOfTwo, type Weighted } from './chance.js';

type Place = 'anywhere' | 'hot' | 'zipf' | 'boundary' | 'end';

/** In flight at the same time, if the device is slow enough. */
const LONGEST_BURST = 32;

export class Workload {
  readonly #blocks: number;
  readonly #extentBlocks: number;
  readonly #longestBlocks: number;
  readonly #kinds: Weighted<Request['kind']>;
  readonly #places: Weighted<Place>;
  readonly hotSpot: number;
  readonly #gapUs: number;
  #burst = 0;

  constructor(habits: Random, setup: Setup) {
    this.#extentBlocks = setup.extentBytes / BLOCK_BYTES;
    this.#blocks = setup.extents * this.#extentBlocks;
    this.#longestBlocks = Math.max(this.#extentBlocks + 3, (2 * setup.maxRequestBytes) / BLOCK_BYTES + 1);
    this.#kinds = [
      ['write', 8],
      ['read', powerOfTwo(habits, 1, 8)],
      ['delete', pick(habits, [0, 0.25, 1, 2])],
      ['flush', powerOfTwo(habits, 0.125, 2)],
    ];
    const places: readonly Place[] = ['anywhere', 'hot', 'zipf', 'boundary', 'end'];
    this.#places = places.map((place) => [place, habits.below(4)] as const);
    if (this.#places.every(([, weight]) => weight === 0)) this.#places = [['anywhere', 1]];
    this.hotSpot = habits.below(this.#blocks);
    this.#gapUs = logUniform(habits, 8, 4096);
  }

  next(random: Random): Request {
    const kind = pickWeighted(random, this.#kinds);
    if (kind === 'flush') return { kind };
    const count = this.#count(random);
    const block = this.#block(random, count);
    return kind === 'write' ? { kind, block, count, label: null } : { kind, block, count };
  }

  /** Until the next request, ms: tiny within a burst, longer between two. */
  gapMs(random: Random): number {
    if (this.#burst > 0) {
      this.#burst--;
      return random.below(this.#gapUs) / 1000;
    }
    this.#burst = random.below(logUniform(random, 1, LONGEST_BURST));
    return logUniform(random, 0.016, 32);
  }

  #count(random: Random): number {
    const long = random.chance(1, 16);
    return Math.min(this.#blocks, long ? between(random, 9, this.#longestBlocks) : between(random, 1, 8));
  }

  #block(random: Random, count: number): number {
    const last = this.#blocks - count;
    const wanted = this.#wanted(random, count);
    return Math.max(0, Math.min(last, wanted));
  }

  #wanted(random: Random, count: number): number {
    const place = pickWeighted(random, this.#places);
    switch (place) {
      case 'anywhere':
        return random.below(this.#blocks);
      case 'hot':
        return this.hotSpot + random.below(12);
      case 'zipf':
        return (this.hotSpot + random.below(Math.ceil(logUniform(random, 1, this.#blocks)))) % this.#blocks;
      case 'boundary':
        return (
          this.#extentBlocks * (1 + random.below(this.#blocks / this.#extentBlocks)) - random.below(count + 1)
        );
      case 'end':
        return this.#blocks - count - random.below(2);
    }
  }
}
