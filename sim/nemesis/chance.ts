/** Draws that all parts of a generated history share. No logarithms: every engine must draw the same. */
import { assert } from '../../core/base/assert.js';
import type { Random } from '../random.js';

export function pick<T>(random: Random, choices: readonly T[]): T {
  assert(choices.length > 0, 'something to choose from');
  return choices[random.below(choices.length)] as T;
}

/** least .. most, both included. */
export function between(random: Random, least: number, most: number): number {
  return least + random.below(most - least + 1);
}

/** Every power of two times `least` is as likely as any other: least .. most, in steps of 0.001. */
export function logUniform(random: Random, least: number, most: number): number {
  let doublings = 0;
  for (let limit = 2 * least; limit <= most; limit *= 2) doublings++;
  let value = least;
  for (let left = random.below(doublings + 1); left > 0; left--) value *= 2;
  value += (value * random.below(1024)) / 1024;
  return Math.round(Math.min(value, most) * 1000) / 1000;
}

export type Weighted<T> = readonly (readonly [choice: T, weight: number])[];

/** Each power of two from `least` to `most`, which are powers of two, is as likely as the others: exact, so that weights add up. */
export function powerOfTwo(random: Random, least: number, most: number): number {
  let doublings = 0;
  for (let limit = least; limit < most; limit *= 2) doublings++;
  let value = least;
  for (let left = random.below(doublings + 1); left > 0; left--) value *= 2;
  return value;
}

/** In proportion to the weights, of which one at least is above 0. */
export function pickWeighted<T>(random: Random, choices: Weighted<T>): T {
  let total = 0;
  for (const [, weight] of choices) total += weight;
  assert(total > 0, 'something to choose from');
  // Weights are multiples of 1/256.
  let left = random.below(total * 256) / 256;
  for (const [choice, weight] of choices) {
    if (left < weight) return choice;
    left -= weight;
  }
  assert(false, 'the draw is below the sum of the weights');
}
