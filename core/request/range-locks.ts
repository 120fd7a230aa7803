/** Something that holds or waits for a byte range: half-open, [offset, offset + length). */
export interface RangeHolder {
  readonly offset: number;
  readonly length: number;
  /** The range is held; called from `acquire` itself when nothing is in the way. */
  rangeGranted(): void;
}

/**
 * Byte-range locks in strict arrival order: a range is granted when no earlier conflicting range overlaps it, so nobody
 * starves, not even a synchronisation chunk under an overwrite storm (X14). Which pairs conflict is a pure rule.
 */
export class RangeLocks<H extends RangeHolder> {
  readonly #conflicts: (a: H, b: H) => boolean;
  readonly #entries: { holder: H; granted: boolean }[] = [];
  #waiting = 0;

  constructor(conflicts: (a: H, b: H) => boolean) {
    this.#conflicts = conflicts;
  }

  /** Everybody who holds or waits. */
  get size(): number {
    return this.#entries.length;
  }

  acquire(holder: H): void {
    const entry = { holder, granted: false };
    this.#entries.push(entry);
    if (this.#isFree(entry, this.#entries.length - 1)) {
      entry.granted = true;
      holder.rangeGranted();
    } else {
      this.#waiting++;
    }
  }

  release(holder: H): void {
    const index = this.#entries.findIndex((entry) => entry.holder === holder);
    if (index === -1) return;
    const [removed] = this.#entries.splice(index, 1);
    if (removed?.granted !== true) this.#waiting--;
    if (this.#waiting > 0) this.#grantWaiters();
  }

  #grantWaiters(): void {
    const granted: H[] = [];
    for (const [index, entry] of this.#entries.entries()) {
      if (entry.granted || !this.#isFree(entry, index)) continue;
      entry.granted = true;
      this.#waiting--;
      granted.push(entry.holder);
    }
    for (const holder of granted) holder.rangeGranted();
  }

  #isFree(entry: { holder: H }, index: number): boolean {
    const { holder } = entry;
    for (let i = 0; i < index; i++) {
      const other = this.#entries[i]?.holder;
      if (other === undefined || !overlaps(other, holder)) continue;
      if (this.#conflicts(other, holder)) return false;
    }
    return true;
  }
}

function overlaps(a: RangeHolder, b: RangeHolder): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
