import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Slab } from '../../native/nbd/slab.js';

const MIB = 1 << 20;

describe('slab', () => {
  it('gives out all of it, and no more', () => {
    const slab = new Slab(4 * MIB);
    const pieces = [MIB, MIB, 2 * MIB].map((length) => slab.allocate(length));
    expect(pieces.every((offset) => offset >= 0)).toBe(true);
    expect(slab.allocate(1)).toBe(-1);
  });

  it('merges what is given back', () => {
    const slab = new Slab(MIB);
    const offsets = Array.from({ length: 256 }, () => slab.allocate(4096));
    expect(new Set(offsets).size).toBe(256);
    expect(slab.allocate(512)).toBe(-1);
    for (const offset of offsets) slab.release(offset, 4096);
    expect(slab.allocate(MIB)).toBe(0);
  });

  it('starts its pieces away from the start of a page', () => {
    const slab = new Slab(MIB);
    for (const length of [512, 8192, 65536]) {
      expect(slab.view(slab.allocate(length), length).byteOffset % 4096).toBe(48);
    }
  });

  it('never gives out a byte twice, and is whole again at the end', () => {
    const step = fc.record({ length: fc.integer({ min: 1, max: 300_000 }), releases: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const slab = new Slab(MIB);
        const held: { offset: number; length: number }[] = [];
        for (const { length, releases } of steps) {
          const offset = slab.allocate(length);
          if (offset >= 0) {
            expect(offset + length).toBeLessThanOrEqual(MIB);
            const isApart = held.every(
              (other) => offset + length <= other.offset || other.offset + other.length <= offset,
            );
            expect(isApart).toBe(true);
            held.push({ offset, length });
          }
          if (offset < 0 || releases % 3 === 0) {
            const [released] = held.splice(releases % Math.max(held.length, 1), 1);
            if (released !== undefined) slab.release(released.offset, released.length);
          }
        }
        for (const { offset, length } of held) slab.release(offset, length);
        expect(slab.allocate(MIB)).toBe(0);
      }),
    );
  });
});
