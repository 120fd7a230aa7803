/** What is random in a story comes from a number that it prints: HAST_SEED tells it again. */
import type { Lab } from '../lab/lab.js';

const SEEDS = new WeakMap<Lab, number>();

export function seedOf(lab: Lab): number {
  let seed = SEEDS.get(lab);
  if (seed === undefined) {
    const given = process.env['HAST_SEED'];
    seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
    SEEDS.set(lab, seed);
    lab.say(`HAST_SEED=${seed}`);
  }
  return seed;
}
