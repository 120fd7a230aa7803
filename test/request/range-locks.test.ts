import sinon from 'sinon';
import { describe, expect, it } from 'vitest';
import { RangeLocks, type RangeHolder } from '../../core/request/range-locks.js';

function holder(offset: number, length: number): RangeHolder & { readonly rangeGranted: sinon.SinonSpy } {
  return { offset, length, rangeGranted: sinon.spy() };
}

describe('range locks', () => {
  it('grant from inside acquire when nothing is in the way', () => {
    const locks = new RangeLocks<RangeHolder>(() => true);
    const one = holder(0, 10);
    locks.acquire(one);
    expect(one.rangeGranted.calledOnce).toBe(true);
  });

  it('are half-open: ranges that only touch do not exclude each other', () => {
    const locks = new RangeLocks<RangeHolder>(() => true);
    const [left, middle, right] = [holder(0, 10), holder(10, 10), holder(20, 10)];
    for (const one of [left, right, middle]) locks.acquire(one);
    expect(middle.rangeGranted.calledOnce).toBe(true);
  });

  it('take no notice of somebody who holds nothing', () => {
    const locks = new RangeLocks<RangeHolder>(() => true);
    locks.release(holder(0, 1));
    expect(locks.size).toBe(0);
  });

  it('forget a waiter that gives up, and let the next one through', () => {
    const locks = new RangeLocks<RangeHolder>(() => true);
    const [first, second, third] = [holder(0, 4), holder(2, 6), holder(5, 4)];
    for (const one of [first, second, third]) locks.acquire(one);
    locks.release(second);
    expect(third.rangeGranted.calledOnce).toBe(true);
    expect(second.rangeGranted.called).toBe(false);
  });
});
