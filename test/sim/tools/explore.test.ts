import { describe, expect, it } from 'vitest';
import { explore, type Exploration, type ExploreOptions } from '../../../sim/tools/explore.js';

function explored(options: ExploreOptions): Exploration {
  const exploration = explore(options);
  for (;;) {
    const { done, value } = exploration.next();
    if (done === true) return value;
  }
}

describe('exploration', () => {
  it('follows every branch of a world with one write and one strike, and finds nothing', () => {
    const { levels, findings, runs, states } = explored({
      runs: 1000,
      modes: ['memsync'],
      maxWrites: 1,
      maxStrikes: 1,
    });
    expect(findings).toEqual([]);
    expect(levels.map(({ strikes, writes, untried }) => [strikes, writes, untried])).toEqual([
      [0, 1, 0],
      [1, 1, 0],
    ]);
    expect(runs).toBeGreaterThan(40);
    expect(states).toBeGreaterThan(runs);
  });

  it('tells what it had no runs for, and gives each level its share', () => {
    const { levels, runs } = explored({ runs: 40, modes: ['fullsync'], maxWrites: 2 });
    expect(runs).toBeLessThanOrEqual(40);
    expect(levels).toHaveLength(6);
    expect(levels.every((level) => level.runs > 0)).toBe(true);
    expect(levels.at(-1)?.untried).toBeGreaterThan(0);
  });

  it('is the same each time', () => {
    const options: ExploreOptions = { runs: 30, modes: ['async'], maxWrites: 1 };
    expect(explored(options)).toEqual(explored(options));
  });
});
