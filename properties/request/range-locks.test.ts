import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeLocks, type RangeHolder } from '../../core/request/range-locks.js';

class Holder implements RangeHolder {
  readonly kind: 'write' | 'chunk';
  readonly offset: number;
  readonly length: number;
  readonly arrived: number;
  grants = 0;
  /** What to do when granted, from inside the call. */
  whenGranted: () => void = () => undefined;

  constructor(kind: 'write' | 'chunk', offset: number, length: number, arrived: number) {
    this.kind = kind;
    this.offset = offset;
    this.length = length;
    this.arrived = arrived;
  }

  get held(): boolean {
    return this.grants > 0;
  }

  rangeGranted(): void {
    this.grants++;
    this.whenGranted();
  }
}

function excludes(a: Holder, b: Holder): boolean {
  const overlap = a.offset < b.offset + b.length && b.offset < a.offset + a.length;
  return overlap && (a.kind === 'chunk' || b.kind === 'chunk');
}

type Step =
  | { readonly kind: 'write' | 'chunk'; readonly offset: number; readonly length: number }
  | { readonly kind: 'release'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('write' as const, 'chunk' as const),
    offset: fc.nat(40),
    length: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({ kind: fc.constant('release' as const), which: fc.nat() }),
);

/** Holds or waits, in the order of arrival. */
function check(present: readonly Holder[]): void {
  for (const [index, holder] of present.entries()) {
    expect(holder.grants).toBeLessThanOrEqual(1);
    // Granted exactly when nothing in its way arrived earlier: no conflict, strict order, nobody overlooked.
    const blocked = present.slice(0, index).some((earlier) => excludes(earlier, holder));
    expect(holder.held).toBe(!blocked);
  }
}

function locksOf(): RangeLocks<Holder> {
  return new RangeLocks<Holder>((a, b) => a.kind === 'chunk' || b.kind === 'chunk');
}

describe('range locks', () => {
  it('grant in order of arrival whatever nothing earlier excludes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const locks = locksOf();
        let present: Holder[] = [];
        for (const [now, one] of steps.entries()) {
          if (one.kind === 'release') {
            const holder = present[one.which % Math.max(1, present.length)];
            if (holder === undefined) continue;
            // Somebody who waits may give up, too.
            present = present.filter((other) => other !== holder);
            locks.release(holder);
          } else {
            const holder = new Holder(one.kind, one.offset, one.length, now);
            present.push(holder);
            locks.acquire(holder);
          }
          check(present);
          expect(locks.size).toBe(present.length);
        }
      }),
    );
  });

  it('let everybody have their turn: no overwrite storm starves a chunk (X14)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 }), (writers, rounds) => {
        const locks = locksOf();
        const chunk = new Holder('chunk', 0, 8, 0);
        const writing = Array.from({ length: writers }, (_, i) => new Holder('write', i % 8, 1, i));
        for (const write of writing) locks.acquire(write);
        locks.acquire(chunk);
        for (let round = 0; round < rounds; round++) {
          // Each finished write is followed by a new one to the same place.
          const done = writing.shift();
          if (done === undefined) break;
          const next = new Holder('write', done.offset, 1, round);
          locks.acquire(next);
          writing.push(next);
          expect(next.held).toBe(false);
          locks.release(done);
        }
        while (!chunk.held) {
          const done = writing.find((write) => write.held);
          if (done === undefined) throw new Error('the chunk starves');
          writing.splice(writing.indexOf(done), 1);
          locks.release(done);
        }
        expect(writing.every((write) => !write.held)).toBe(true);
        locks.release(chunk);
        expect(writing.every((write) => write.held)).toBe(true);
      }),
    );
  });

  it('bear holders that release or acquire from inside the grant', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const locks = locksOf();
        const present = new Set<Holder>();
        const enter = (holder: Holder): void => {
          present.add(holder);
          locks.acquire(holder);
        };
        for (const [now, one] of steps.entries()) {
          if (one.kind === 'release') continue;
          const holder = new Holder(one.kind, one.offset, one.length, now);
          const follower = new Holder(one.kind, one.length, 3, now);
          holder.whenGranted = () => {
            if (now % 2 === 0) enter(follower);
            present.delete(holder);
            locks.release(holder);
          };
          enter(holder);
        }
        check([...present]);
        // The set grows while it is gone through: some of them acquire again.
        for (const holder of present) {
          present.delete(holder);
          locks.release(holder);
          check([...present]);
        }
        expect(locks.size).toBe(0);
      }),
    );
  });
});
