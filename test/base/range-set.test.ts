import { describe, expect, it } from 'vitest';
import { RangeSet, type ByteRange } from '../../core/base/range-set.js';

function range(offset: number, end: number): ByteRange {
  return { offset, length: end - offset };
}

function setOf(...ranges: readonly (readonly [number, number])[]): RangeSet {
  return new RangeSet(ranges.map(([offset, end]) => range(offset, end)));
}

function endsOf(ranges: readonly ByteRange[]): number[][] {
  return ranges.map(({ offset, length }) => [offset, offset + length]);
}

describe('range set', () => {
  it('joins what touches or overlaps, and keeps the rest apart, in order', () => {
    const set = setOf([20, 30], [0, 5], [5, 8], [25, 40], [100, 110]);
    expect(endsOf(set.ranges)).toEqual([
      [0, 8],
      [20, 40],
      [100, 110],
    ]);
  });

  it('takes a piece out of the middle, from the ends, or all', () => {
    const set = setOf([0, 10], [20, 30]);
    set.remove(range(4, 6));
    set.remove(range(8, 22));
    expect(endsOf(set.ranges)).toEqual([
      [0, 4],
      [6, 8],
      [22, 30],
    ]);
    set.remove(range(0, 100));
    expect(set.ranges).toEqual([]);
  });

  it('overlaps are half-open', () => {
    const set = setOf([10, 20]);
    expect(
      [range(0, 10), range(20, 30), range(19, 20), range(0, 11)].map((one) => set.overlaps(one)),
    ).toEqual([false, false, true, true]);
  });

  it('cuts a range where the set begins and ends', () => {
    const set = setOf([10, 20], [30, 40]);
    expect(endsOf(set.split(range(0, 50)))).toEqual([
      [0, 10],
      [10, 20],
      [20, 30],
      [30, 40],
      [40, 50],
    ]);
    expect(endsOf(set.split(range(12, 18)))).toEqual([[12, 18]]);
    expect(endsOf(set.split(range(15, 35)))).toEqual([
      [15, 20],
      [20, 30],
      [30, 35],
    ]);
    expect(endsOf(set.split(range(20, 30)))).toEqual([[20, 30]]);
  });
});
