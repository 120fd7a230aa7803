import { describe, expect, it } from 'vitest';
import { decide, type Lineage } from '../../core/handshake/verdict.js';

type Counts = readonly [localcnt: number, remotecnt: number];

function lineage([localcnt, remotecnt]: Counts, resuid = 7n): Lineage {
  return { resuid, localcnt: BigInt(localcnt), remotecnt: BigInt(remotecnt) };
}

/** In the words of the table of core/spec/replication.md section 4. */
function verdictOf(primary: Counts, secondary: Counts): string {
  const verdict = decide({ ...lineage(primary), virgin: false }, lineage(secondary), true);
  if (verdict.kind !== 'accept') return verdict.kind;
  const { syncsrc, map, impossible } = verdict;
  return `${map === 'full' ? 'FULL' : 'regular'} from ${syncsrc}${impossible ? ', impossible' : ''}`;
}

describe('verdict by counters', () => {
  // [PL, PR] against [SL, SR]; rows SL <, =, > PR and columns PL <, =, > SR.
  const table: readonly (readonly [Counts, Counts, string])[] = [
    [[1, 1], [0, 2], 'FULL from primary, impossible'],
    [[1, 1], [0, 1], 'FULL from primary, impossible'],
    [[1, 1], [0, 0], 'FULL from primary, impossible'],
    [[1, 1], [1, 2], 'FULL from primary, impossible'],
    [[1, 1], [1, 1], 'regular from primary'],
    [[1, 1], [1, 0], 'regular from primary'],
    [[1, 1], [2, 2], 'FULL from secondary, impossible'],
    [[1, 1], [2, 1], 'regular from secondary'],
    [[1, 1], [2, 0], 'split-brain'],
  ];
  it.each(table)('P%j S%j: %s', (primary, secondary, expected) => {
    expect(verdictOf(primary, secondary)).toBe(expected);
  });

  const worked: readonly (readonly [Counts, Counts, string])[] = [
    [[0, 0], [0, 0], 'regular from primary'],
    [[1, 0], [0, 0], 'regular from primary'],
    [[0, 0], [1, 0], 'regular from secondary'],
    [[1, 0], [1, 0], 'split-brain'],
    [[0, 1], [1, 0], 'regular from primary'],
    [[1, 1], [1, 0], 'regular from primary'],
    [[0, 1], [2, 0], 'regular from secondary'],
  ];
  it.each(worked)('worked example P%j S%j: %s', (primary, secondary, expected) => {
    expect(verdictOf(primary, secondary)).toBe(expected);
  });

  it('compares all 64 bits', () => {
    const primary = { resuid: 7n, localcnt: (1n << 63n) + 1n, remotecnt: 0n, virgin: false };
    const secondary = { resuid: 7n, localcnt: 0n, remotecnt: 1n << 63n };
    expect(decide(primary, secondary, true)).toMatchObject({ syncsrc: 'primary', map: 'disk' });
    expect(decide({ ...primary, resuid: 7n + (1n << 63n) }, secondary, true).kind).toBe('resuid-mismatch');
  });
});

describe('verdict about virgins', () => {
  const virgin = { resuid: 0n, localcnt: 0n, remotecnt: 0n };

  it('row 1: both virgin, only the primary may have written', () => {
    const verdict = decide({ ...lineage([0, 0]), virgin: true }, virgin, true);
    expect(verdict).toEqual({
      kind: 'accept',
      syncsrc: 'primary',
      map: 'none',
      adopts: true,
      impossible: false,
    });
  });

  it('row 1 with a written secondary: everything is copied (W5)', () => {
    expect(decide({ ...lineage([0, 0]), virgin: true }, virgin, false)).toMatchObject({
      map: 'full',
      adopts: true,
    });
  });

  it('row 2: a new secondary gets everything', () => {
    expect(decide({ ...lineage([3, 1]), virgin: false }, virgin, true)).toMatchObject({
      syncsrc: 'primary',
      map: 'full',
      adopts: true,
    });
  });

  it('row 3: a new primary against an old secondary is refused', () => {
    expect(decide({ ...lineage([0, 0]), virgin: true }, lineage([1, 0], 8n), true)).toEqual({
      kind: 'resuid-mismatch',
    });
  });
});
