import { randomBytes } from 'node:crypto';
import type { Entropy } from '../core/ports/entropy.js';

/** The system's random number generator. */
export const systemEntropy: Entropy = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
};
