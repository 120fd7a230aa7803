/** Whatever the world and the operator do, in whatever order: every invariant holds, and it happens in the same way again. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { annotateScript } from '../../sim/script/annotate.js';
import type { Script } from '../../sim/script/script.js';
import { runScript } from '../../sim/world/run.js';
import { histories, torn } from './history.js';

/** The same histories at every commit: who wants others has `hastsim fuzz`. */
const SAME = { seed: 7, interruptAfterTimeLimit: 60_000 } as const;

/** Throws what a person needs to see it again. */
function judge(script: Script): void {
  const { violations } = runScript(script);
  if (violations.length > 0) throw new Error(`\n${annotateScript(script, violations)}`);
}

describe('histories', () => {
  it('of any acts break no invariant', { timeout: 120_000 }, () => {
    fc.assert(fc.property(histories, judge), { ...SAME, numRuns: 150 });
  });

  it('of any steps break no invariant', { timeout: 120_000 }, () => {
    fc.assert(fc.property(torn, judge), { ...SAME, numRuns: 150 });
  });

  it('are the same whenever they are told', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(histories, (script) => runScript(script).hash === runScript(script).hash),
      { ...SAME, numRuns: 20 },
    );
  });
});
