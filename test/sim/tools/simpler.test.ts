import { describe, expect, it } from 'vitest';
import { isScriptError, parseScript } from '../../../sim/script/parse.js';
import { printScript } from '../../../sim/script/print.js';
import { DEFAULT_SETUP, type Action, type Setup, type When } from '../../../sim/script/script.js';
import { rounderTimes, simplerActions, simplerSetups, simplerWhens } from '../../../sim/tools/simpler.js';

const ACTIONS = `
on b write 7+9 = x
read 7+3
on a delete 3+12
flush
role b primary force
kill b
kill daemon a
power off a
power on a
pause a 1234ms
cut a->b
cut a->b after 113 bytes
reset b->a after 5000 bytes
cut a->b channel 3
mend b->a
latency a->b 5ms..57ms
latency 13ms
delay-close a 2s
fail a write 3 times blocks 7+20 ENOSPC
fail b flush always
fail b read once metadata
slow a write 777ms
corrupt a 7 bit 3
misdirect b 3 to 9
repair a
until in-sync within 1min
expect block 7 = x
nothing
settle
`;

function actions(): readonly Action[] {
  const script = parseScript(ACTIONS);
  if (isScriptError(script)) throw new Error(script.message);
  return script.steps.map(({ action }) => action);
}

/** Everything that can be reached step by step; fails when it never ends. */
function reachable<T>(start: T, simpler: (from: T) => readonly T[]): readonly T[] {
  const seen = new Set<string>();
  const visit = (from: T, path: readonly string[]): readonly T[] => {
    const key = JSON.stringify(from);
    expect(path).not.toContain(key);
    if (seen.has(key)) return [];
    seen.add(key);
    return [from, ...simpler(from).flatMap((next) => visit(next, [...path, key]))];
  };
  return visit(start, []);
}

describe('simpler', () => {
  it.each(actions())('actions than %o are simpler in the end, and can be written down', (action) => {
    for (const simpler of reachable(action, simplerActions)) {
      const script = {
        setup: DEFAULT_SETUP,
        steps: [{ when: { kind: 'after', ms: 0 }, action: simpler } as const],
      };
      expect(parseScript(printScript(script))).toEqual(script);
    }
  });

  it('times are rounder and shorter', () => {
    expect(rounderTimes(0)).toEqual([]);
    expect(rounderTimes(0.35)).toEqual([0]);
    expect(rounderTimes(1)).toEqual([0]);
    expect(rounderTimes(100)).toEqual([0, 1, 10, 50]);
    expect(rounderTimes(2345)).toEqual([0, 1, 10, 100, 500, 1000, 2000, 2300]);
    expect(rounderTimes(16_022.256)).toEqual([0, 1, 10, 100, 1000, 5000, 10_000, 16_000, 16_022]);
    const late: When = { kind: 'at', ms: 2345 };
    expect(simplerWhens(late)[0]).toEqual({ kind: 'after', ms: 0 });
    expect(reachable(late, simplerWhens).length).toBeLessThan(30);
  });

  it('setups come to the defaults, whichever way', () => {
    const setup: Setup = {
      ...DEFAULT_SETUP,
      seed: 5,
      replication: 'async',
      extents: 7,
      keepdirty: { a: 1, b: 4 },
      ties: 'priority',
    };
    expect(simplerSetups(setup)[0]).toEqual({ ...DEFAULT_SETUP, seed: 5 });
    expect(reachable(setup, simplerSetups)).toContainEqual({ ...DEFAULT_SETUP, seed: 5 });
    expect(simplerSetups(DEFAULT_SETUP)).toEqual([]);
  });
});
