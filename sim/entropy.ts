import type { Entropy } from '../core/ports/entropy.js';
import type { Random } from './random.js';

/** Tokens and resource ids of a seed. */
export class SimEntropy implements Entropy {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#random.fill(bytes);
    return bytes;
  }
}
