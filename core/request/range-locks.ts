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
  /** In order of arrival; who has been granted a range, by the same index. */
  readonly #holders: H[] = [];
  readonly #granted: boolean[] = [];
  #waiting = 0;

  constructor(conflicts: (a: H, b: H) => boolean) {
    this.#conflicts = conflicts;
  }

  /** Everybody who holds or waits. */
  get size(): number {
    return this.#holders.length;
  }

  acquire(holder: H): void {
    const index = this.#holders.push(holder) - 1;
    const free = this.#isFree(holder, index);
    this.#granted.push(free);
    if (free) holder.rangeGranted();
    else this.#waiting++;
  }

  release(holder: H): void {
    const index = this.#holders.indexOf(holder);
    if (index === -1) return;
    if (this.#granted[index] !== true) this.#waiting--;
    remove(this.#holders, index);
    remove(this.#granted, index);
    if (this.#waiting > 0) this.#grantWaiters();
  }

  #grantWaiters(): void {
    const granted: H[] = [];
    for (let i = 0; i < this.#holders.length; i++) {
      const holder = this.#holders[i];
      if (holder === undefined || this.#granted[i] === true || !this.#isFree(holder, i)) continue;
      this.#granted[i] = true;
      this.#waiting--;
      granted.push(holder);
    }
    for (const holder of granted) holder.rangeGranted();
  }

  #isFree(holder: H, index: number): boolean {
    for (let i = 0; i < index; i++) {
      const other = this.#holders[i];
      if (other === undefined || !overlaps(other, holder)) continue;
      if (this.#conflicts(other, holder)) return false;
    }
    return true;
  }
}

function overlaps(a: RangeHolder, b: RangeHolder): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

/** What `splice` does, without making an array of what was removed. */
function remove<T>(items: T[], index: number): void {
  for (let i = index + 1; i < items.length; i++) items[i - 1] = items[i] as T;
  items.pop();
}
