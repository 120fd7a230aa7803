import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Lineage, type Verdict } from '../../core/handshake/verdict.js';

const counter = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const resuid = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });

/** Two nodes of one resource whose counters are related in every way. */
const pair = fc
  .record({
    resuid,
    counters: fc.tuple(counter, counter, counter, counter),
    equal: fc.tuple(fc.boolean(), fc.boolean()),
  })
  .map(({ resuid: id, counters: [pl, pr, sl, sr], equal: [slIsPr, srIsPl] }) => ({
    primary: { resuid: id, localcnt: pl, remotecnt: pr, virgin: false },
    secondary: { resuid: id, localcnt: slIsPr ? pr : sl, remotecnt: srIsPl ? pl : sr },
  }));

/** The node whose data survives, whoever of them asks. */
function survivor(a: Lineage, b: Lineage, primary: 'a' | 'b'): string {
  const [asking, answering] = primary === 'a' ? [a, b] : [b, a];
  const verdict = decide({ ...asking, virgin: false }, answering, true);
  if (verdict.kind !== 'accept') return verdict.kind;
  const source = (verdict.syncsrc === 'primary') === (primary === 'a') ? 'a' : 'b';
  return source;
}

/** What must be the same for both directions. */
function character(verdict: Verdict): string {
  return verdict.kind === 'accept' ? (verdict.impossible ? 'impossible' : 'possible') : verdict.kind;
}

describe('verdict', () => {
  it('is total: every pair of counters has exactly one', () => {
    fc.assert(
      fc.property(pair, fc.boolean(), ({ primary, secondary }, clean) => {
        const verdict = decide(primary, secondary, clean);
        if (verdict.kind !== 'accept') {
          expect(verdict.kind).toBe('split-brain');
          return;
        }
        expect(verdict.adopts).toBe(false);
        expect(verdict.map).toBe(verdict.impossible ? 'full' : 'disk');
      }),
    );
  });

  it('says the same whichever of the two nodes is primary', () => {
    fc.assert(
      fc.property(pair, ({ primary: a, secondary: b }) => {
        const there = decide(a, b, true);
        const back = decide({ ...b, virgin: false }, a, true);
        expect(character(back)).toBe(character(there));
      }),
    );
  });

  it('lets the same data survive whichever of the two is primary, when one of them is ahead', () => {
    fc.assert(
      fc.property(pair, ({ primary: a, secondary: b }) => {
        fc.pre(character(decide(a, b, true)) === 'possible');
        fc.pre(a.localcnt !== b.remotecnt || b.localcnt !== a.remotecnt);
        expect(survivor(a, b, 'b')).toBe(survivor(a, b, 'a'));
      }),
    );
  });

  it('calls it split-brain exactly when each has written what the other has not (I12, I13)', () => {
    fc.assert(
      fc.property(pair, ({ primary, secondary }) => {
        const both = primary.localcnt > secondary.remotecnt && secondary.localcnt > primary.remotecnt;
        expect(decide(primary, secondary, true).kind === 'split-brain').toBe(both);
      }),
    );
  });

  it('refuses two different resources, whatever the counters', () => {
    fc.assert(
      fc.property(pair, resuid, fc.boolean(), ({ primary, secondary }, other, virgin) => {
        fc.pre(other !== secondary.resuid);
        expect(decide({ ...primary, resuid: other, virgin }, secondary, true).kind).toBe('resuid-mismatch');
      }),
    );
  });

  it('gives a virgin secondary everything, unless both are virgin and it wrote nothing (I17, W5)', () => {
    fc.assert(
      fc.property(pair, fc.boolean(), fc.boolean(), ({ primary }, virgin, clean) => {
        const secondary = { resuid: 0n, localcnt: 0n, remotecnt: 0n };
        const map = virgin && clean ? 'none' : 'full';
        const expected = { kind: 'accept', syncsrc: 'primary', map, adopts: true, impossible: false };
        expect(decide({ ...primary, virgin }, secondary, clean)).toEqual(expected);
      }),
    );
  });

  it('finds the node that wrote alone ahead, and both that did split, however their lives went on', () => {
    // A life: pairs of epochs in which one node, or both, wrote alone, each ended by a completed synchronisation.
    const epoch = fc.record({
      a: fc.nat(3),
      b: fc.nat(3),
      primary: fc.constantFrom('a' as const, 'b' as const),
    });
    fc.assert(
      fc.property(fc.array(epoch, { minLength: 1, maxLength: 8 }), resuid, (epochs, id) => {
        let a: Lineage = { resuid: id, localcnt: 0n, remotecnt: 0n };
        let b: Lineage = { resuid: id, localcnt: 0n, remotecnt: 0n };
        for (const { a: bumpsOfA, b: bumpsOfB, primary } of epochs) {
          a = { ...a, localcnt: a.localcnt + BigInt(bumpsOfA) };
          b = { ...b, localcnt: b.localcnt + BigInt(bumpsOfB) };
          const expected =
            bumpsOfA > 0 && bumpsOfB > 0 ? 'split-brain' : bumpsOfA > 0 ? 'a' : bumpsOfB > 0 ? 'b' : primary;
          expect(survivor(a, b, primary)).toBe(expected);
          if (expected === 'split-brain') return;
          // The primary takes over the secondary's counters, whoever had the data.
          if (primary === 'a') a = { ...a, localcnt: b.remotecnt, remotecnt: b.localcnt };
          else b = { ...b, localcnt: a.remotecnt, remotecnt: a.localcnt };
        }
      }),
    );
  });
});
