import { describe, expect, it } from 'vitest';
import { Random } from '../../../sim/random.js';
import { DEFAULT_SETUP, type Action, type Script, type Step } from '../../../sim/script/script.js';
import { shrink, type Fails } from '../../../sim/tools/shrink.js';
import type { Violation } from '../../../sim/world/result.js';

function violation(invariant: string, step: number, text = ''): Violation {
  return { invariant, text, atMs: 0, step, block: null };
}

function step(action: Action, ms = 3): Step {
  return { when: { kind: 'after', ms }, action };
}

function write(block: number, count = 9): Action {
  return { kind: 'request', node: null, request: { kind: 'write', block, count, label: null } };
}

/** As a generated history: mostly requests, some acts in between. */
function longScript(acts: readonly Action[]): Script {
  const random = new Random(7, 'script');
  const steps: Step[] = [];
  const every = Math.floor(200 / acts.length);
  for (let i = 0; i < 200; i++) {
    steps.push(step(write(random.below(200), 1 + random.below(9)), 1 + random.below(20)));
    const act = acts[i / every];
    if (act !== undefined) steps.push(step(act, random.below(20_000)));
  }
  steps.push(step({ kind: 'settle' }));
  return {
    setup: { ...DEFAULT_SETUP, seed: 99, replication: 'async', compression: 'lzf', ties: 'random' },
    steps,
  };
}

const ACTS: readonly Action[] = [
  { kind: 'kill', node: 'a', what: 'worker' },
  { kind: 'cut', from: 'a' },
  { kind: 'mend', from: 'a' },
  { kind: 'power', node: 'b', on: false },
  { kind: 'reload', node: null, replication: 'memsync' },
  {
    kind: 'fail',
    node: 'b',
    operation: 'write',
    code: 'ENOSPC',
    times: null,
    place: { kind: 'blocks', block: 3, count: 8 },
  },
  { kind: 'power', node: 'b', on: true },
  { kind: 'repair', node: 'b' },
];

function indexOf(script: Script, kind: Action['kind'], from = 0): number {
  return script.steps.findIndex(({ action }, index) => index >= from && action.kind === kind);
}

/** Fails when a write of several blocks comes between a failing disk and its repair, 500 ms after the failure at the earliest. */
const disk: Fails = ({ steps }) => {
  let failedMs = -1;
  let nowMs = 0;
  for (const [index, { when, action }] of steps.entries()) {
    nowMs += when.ms;
    if (action.kind === 'fail') failedMs = nowMs;
    if (action.kind === 'repair') failedMs = -1;
    const writes = action.kind === 'request' && action.request.kind === 'write' && action.request.count > 1;
    if (writes && failedMs >= 0 && nowMs - failedMs >= 500) return violation('I3', index);
  }
  return null;
};

describe('shrinking', () => {
  it('leaves the two steps that matter, with round times, small blocks and the default setup', () => {
    const shrunk = shrink(longScript(ACTS), disk, { runs: 1000 });
    expect(shrunk?.script).toEqual({
      setup: DEFAULT_SETUP,
      steps: [
        step(
          { kind: 'fail', node: 'b', operation: 'write', code: 'EIO', times: 1, place: { kind: 'all' } },
          0,
        ),
        step(write(0, 2), 500),
      ],
    });
    expect(shrunk?.violation).toEqual(violation('I3', 1));
  });

  it('does so within few runs, and says how many', () => {
    let runs = 0;
    const counted: Fails = (script) => {
      runs++;
      return disk(script);
    };
    const shrunk = shrink(longScript(ACTS), counted, { runs: 1000 });
    expect(shrunk?.runs).toBe(runs);
    expect(runs).toBeLessThan(200);
  });

  it('is a function of its arguments', () => {
    const script = longScript(ACTS);
    expect(shrink(script, disk, { runs: 300 })).toEqual(shrink(script, disk, { runs: 300 }));
  });

  it('runs no more than its budget allows, and is still right', () => {
    for (const runs of [1, 2, 10, 50]) {
      const shrunk = shrink(longScript(ACTS), disk, { runs });
      expect(shrunk?.runs).toBeLessThanOrEqual(runs);
      expect(shrunk && disk(shrunk.script)?.invariant).toBe('I3');
    }
  });

  it('has nothing to say about a history that breaks nothing', () => {
    expect(shrink({ setup: DEFAULT_SETUP, steps: [] }, disk, { runs: 10 })).toBeNull();
  });

  it('keeps to the invariant that was broken first', () => {
    const either: Fails = (script) => disk(script) ?? violation('liveness', 0);
    const shrunk = shrink(longScript(ACTS), either, { runs: 1000 });
    expect(shrunk?.violation.invariant).toBe('I3');
    expect(shrunk?.script.steps).toHaveLength(2);
  });

  it('tells one crash from another by its words, not by its numbers', () => {
    const crash: Fails = (script) => {
      const at = indexOf(script, 'power');
      if (at >= 0) return violation('crash', at, `extent ${script.steps.length} is out of range\n at x`);
      return violation('crash', 0, 'unreachable');
    };
    const shrunk = shrink(longScript(ACTS), crash, { runs: 1000 });
    expect(shrunk?.script.steps.map(({ action }) => action.kind)).toEqual(['power']);
  });

  it('removes a pair of which neither half can go alone', () => {
    const balanced: Fails = ({ steps }) => {
      const count = (kind: Action['kind']) => steps.filter(({ action }) => action.kind === kind).length;
      return count('kill') > 0 && count('cut') === count('mend') ? violation('I9', steps.length) : null;
    };
    const steps = [ACTS[1], ACTS[0], ACTS[2]].flatMap((act) => (act === undefined ? [] : [step(act)]));
    const shrunk = shrink({ setup: DEFAULT_SETUP, steps }, balanced, { runs: 1000 });
    expect(shrunk?.script.steps.map(({ action }) => action.kind)).toEqual(['kill']);
  });

  it('keeps the time that removed steps took where it matters', () => {
    const late: Fails = ({ steps }) => {
      const totalMs = steps.reduce((sum, { when }) => sum + when.ms, 0);
      return totalMs >= 20_000 ? violation('liveness', steps.length) : null;
    };
    const shrunk = shrink(longScript(ACTS), late, { runs: 1000 });
    expect(shrunk?.script.steps).toHaveLength(1);
    expect(shrunk?.script.steps[0]?.when.ms).toBeLessThan(100_000);
  });

  it('finds a race again by other seeds', () => {
    const race: Fails = ({ setup, steps }) => {
      const lucky = (setup.seed + steps.length) % 4 === 0 || steps.length === 202;
      const at = indexOf({ setup, steps }, 'fail');
      return lucky && at >= 0 && indexOf({ setup, steps }, 'request', at) > 0
        ? violation('I1', steps.length)
        : null;
    };
    const shrunk = shrink(longScript([...ACTS.slice(5, 6)]), race, { runs: 2000 });
    expect(shrunk?.script.steps).toHaveLength(2);
    expect(shrunk?.script.setup.seed).toBe(2);
  });

  it('renames a block everywhere at once', () => {
    const same: Fails = ({ steps }) => {
      const [written, corrupt] = steps.map(({ action }) => action);
      const hit =
        written?.kind === 'request' &&
        written.request.kind === 'write' &&
        corrupt?.kind === 'corrupt' &&
        corrupt.block === written.request.block;
      return hit ? violation('I1', 1) : null;
    };
    const steps = [step(write(77, 1)), step({ kind: 'corrupt', node: 'a', block: 77, bit: 5 })];
    expect(shrink({ setup: DEFAULT_SETUP, steps }, same, { runs: 100 })?.script.steps).toEqual([
      step(write(0, 1), 0),
      step({ kind: 'corrupt', node: 'a', block: 0, bit: null }, 0),
    ]);
  });
});
