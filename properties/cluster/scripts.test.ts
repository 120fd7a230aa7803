import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { annotateScript } from '../../sim/script/annotate.js';
import type { Script } from '../../sim/script/script.js';
import type { RunResult } from '../../sim/world/result.js';
import { runScript } from '../../sim/world/run.js';
import { calmStories, stories } from '../arbitraries/story.js';

/** Then a failure is as short as it will get. */
const LIMIT_MS = 90_000;
const TIMEOUT_MS = 120_000;

/** Runs the script; one that is not as it should be is shown with what was found where. */
function judged(script: Script): RunResult {
  const result = runScript(script);
  if (result.violations.length > 0) throw new Error(`\n${annotateScript(script, result.violations)}`);
  return result;
}

describe('generated histories', () => {
  it(
    'end with equal copies and nothing acknowledged missing, whatever happens',
    { timeout: TIMEOUT_MS },
    () => {
      fc.assert(
        fc.property(stories, (script) => void judged(script)),
        { numRuns: 400, interruptAfterTimeLimit: LIMIT_MS },
      );
    },
  );

  it('fail no request when nothing goes wrong', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(calmStories, (script) => {
        expect(judged(script).requests.failed).toBe(0);
      }),
      { numRuns: 100, interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it('are the same whenever they are run', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(stories, (script) => {
        const [once, again] = [runScript(script), runScript(script)];
        expect(again).toEqual(once);
      }),
      { numRuns: 25, interruptAfterTimeLimit: LIMIT_MS },
    );
  });
});
