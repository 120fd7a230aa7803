/** The most recently written extents, whose bits stay set on disk so that hot extents cost one map write (metadata.md 5). */
export class Keepdirty {
  readonly #limit: number;
  /** In order of use, oldest first. */
  readonly #extents = new Set<number>();

  /** `limit` extents at most; a limit below 1 counts as 1 (W13). */
  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  has(extent: number): boolean {
    return this.#extents.has(extent);
  }

  /** Makes `extent` the most recent one; the extent that had to leave, or -1. */
  touch(extent: number): number {
    this.#extents.delete(extent);
    let evicted = -1;
    if (this.#extents.size === this.#limit) {
      for (const oldest of this.#extents) {
        evicted = oldest;
        break;
      }
      this.#extents.delete(evicted);
    }
    this.#extents.add(extent);
    return evicted;
  }

  /** Keeps none of its extents any more; returns them. */
  clear(): readonly number[] {
    const extents = [...this.#extents];
    this.#extents.clear();
    return extents;
  }
}
