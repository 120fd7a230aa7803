/**
 * States that were seen, by their fingerprints, with how much was still to be tried from there. A table of fixed size: when
 * there is no room near its place, an older state is forgotten, and at worst something is tried twice.
 */
const SLOTS = 2 ** 21;
const PROBES = 8;

export class SeenStates {
  readonly #low = new Uint32Array(SLOTS);
  readonly #high = new Uint32Array(SLOTS);
  /** The run that saw it, from 1; 0: nobody. */
  readonly #run = new Uint32Array(SLOTS);
  readonly #left = new Uint8Array(SLOTS);
  #count = 0;

  /** Different states, as far as it remembers. */
  get count(): number {
    return this.#count;
  }

  /** True when another run has been there with as many strikes left; else this one has, from now on. */
  wasSeen(low: number, high: number, run: number, left: number): boolean {
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & (SLOTS - 1);
    for (let probe = 0; probe < PROBES; probe++, slot = (slot + 1) & (SLOTS - 1)) {
      if (this.#run[slot] === 0) break;
      if (this.#low[slot] !== low >>> 0 || this.#high[slot] !== high >>> 0) continue;
      if (this.#run[slot] === run) return false;
      if ((this.#left[slot] ?? 0) >= left) return true;
      this.#run[slot] = run;
      this.#left[slot] = left;
      return false;
    }
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#run[slot] = run;
    this.#left[slot] = left;
    this.#count++;
    return false;
  }
}
