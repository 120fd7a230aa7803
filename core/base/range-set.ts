/** Half-open byte range [offset, offset + length). */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A set of bytes, kept as disjoint ranges in ascending order. Small: every operation looks at all of them. */
export class RangeSet {
  #ranges: readonly ByteRange[];

  constructor(ranges: readonly ByteRange[] = []) {
    this.#ranges = [];
    for (const range of ranges) this.add(range);
  }

  get ranges(): readonly ByteRange[] {
    return this.#ranges;
  }

  overlaps(range: ByteRange): boolean {
    return this.#ranges.some((one) => endOf(one) > range.offset && one.offset < endOf(range));
  }

  /** Cuts `range` where the set begins and ends: every piece is inside or outside as a whole. */
  split(range: ByteRange): ByteRange[] {
    const pieces: ByteRange[] = [];
    let at = range.offset;
    const cutAt = (end: number): void => {
      if (end > at) pieces.push({ offset: at, length: end - at });
      at = Math.max(at, end);
    };
    for (const one of this.#ranges) {
      if (endOf(one) <= range.offset || one.offset >= endOf(range)) continue;
      cutAt(one.offset);
      cutAt(Math.min(endOf(one), endOf(range)));
    }
    cutAt(endOf(range));
    return pieces;
  }

  add(range: ByteRange): void {
    let { offset } = range;
    let end = endOf(range);
    const apart: ByteRange[] = [];
    for (const one of this.#ranges) {
      if (endOf(one) < offset || one.offset > end) {
        apart.push(one);
      } else {
        offset = Math.min(offset, one.offset);
        end = Math.max(end, endOf(one));
      }
    }
    this.#ranges = [...apart, { offset, length: end - offset }].sort((a, b) => a.offset - b.offset);
  }

  remove(range: ByteRange): void {
    const end = endOf(range);
    this.#ranges = this.#ranges.flatMap((one) => {
      if (endOf(one) <= range.offset || one.offset >= end) return [one];
      const rest: ByteRange[] = [];
      if (one.offset < range.offset) rest.push({ offset: one.offset, length: range.offset - one.offset });
      if (endOf(one) > end) rest.push({ offset: end, length: endOf(one) - end });
      return rest;
    });
  }
}

function endOf(range: ByteRange): number {
  return range.offset + range.length;
}
