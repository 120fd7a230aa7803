/**
 * In which order events happen that are due at the same time. By sequence, what was scheduled first comes first, and a whole
 * class of races is never seen; a random order finds those of two steps, and a few random priorities that change now
 * and then find the ones that need one side to be slow all the time (probabilistic concurrency testing, PCT).
 *
 * Some orders are promised all the same, a pipe's for instance: events of one lane never overtake each other.
 */
import { assert } from '../core/base/assert.js';
import type { Random } from './random.js';

export type Ties = 'sequence' | 'random' | 'priority';

/** Tie keys are below this: together with a sequence number of 32 bits they fit a double exactly. */
const TIE_KEYS = 2 ** 21;
/** Random keys are below this; those given at change points are above, each later than all before. */
const RANDOM_KEYS = 2 ** 20;
/** A lane gets the lowest priority once in so many events, on average. */
const CHANGE_EVENTS = 2000;

export class TieBreaker {
  readonly #ties: Ties;
  readonly #random: Random | null;
  /** By lane: what its keys are made of. Lane 0 is nobody's. */
  readonly #lanes: number[] = [0];
  #changes = 0;
  #eventsToChange = 0;

  constructor(ties: Ties, random: Random | null) {
    assert(ties === 'sequence' || random !== null, 'a random order needs random numbers');
    this.#ties = ties;
    this.#random = random;
    if (ties === 'priority') this.#planChange();
  }

  newLane(): number {
    return this.#lanes.push(this.#draw(RANDOM_KEYS)) - 1;
  }

  /** Of events with the same time those with smaller keys come first. */
  keyOf(lane: number, timeMs: number): number {
    if (this.#ties === 'sequence') return 0;
    if (lane === 0) return this.#draw(RANDOM_KEYS);
    const own = this.#lanes[lane] ?? 0;
    return this.#ties === 'priority' ? own : mixed(own ^ (timeMs * 1000));
  }

  /** An event of `lane` is about to happen. */
  happens(lane: number): void {
    if (this.#ties !== 'priority' || --this.#eventsToChange > 0) return;
    this.#planChange();
    if (lane !== 0 && RANDOM_KEYS + this.#changes < TIE_KEYS) {
      this.#lanes[lane] = RANDOM_KEYS + this.#changes++;
    }
  }

  #planChange(): void {
    this.#eventsToChange = 1 + this.#draw(2 * CHANGE_EVENTS);
  }

  #draw(limit: number): number {
    return this.#random?.below(limit) ?? 0;
  }
}

function mixed(word: number): number {
  let bits = Math.imul(word, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
  return (bits ^ (bits >>> 13)) >>> 12;
}
