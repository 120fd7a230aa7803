/** Making a failing script short, within limits of time. */
import { annotateScript } from '../../sim/script/annotate.js';
import type { Script } from '../../sim/script/script.js';
import { shrink } from '../../sim/tools/shrink.js';
import type { Violation } from '../../sim/world/result.js';
import type { Simulator } from './simulator-port.js';

export interface Effort {
  /** How many scripts may be run, and for how long. */
  readonly runs: number;
  readonly ms: number;
}

export interface ShortScript {
  readonly violation: Violation;
  /** With the violation as a comment. */
  readonly text: string;
  readonly steps: number;
  /** How many scripts were run. */
  readonly runs: number;
}

/**
 * The shortest script found that breaks the same invariant; null: the script breaks none. `onRun` hears of every run; `clock`
 * tells what time is left (ms).
 */
export function shorten(
  script: Script,
  simulator: Simulator,
  { runs, ms }: Effort,
  mayGoOn: () => boolean,
  onRun: (runs: number) => void = () => undefined,
  clock: () => number = () => performance.now(),
): ShortScript | null {
  const deadlineMs = clock() + ms;
  let run = 0;
  const fails = (candidate: Script): Violation | null => {
    // Without the first run, of the script itself, there is nothing to tell.
    if (run > 0 && (clock() > deadlineMs || !mayGoOn())) return null;
    onRun(++run);
    return simulator.run(candidate).violations[0] ?? null;
  };
  const shrunk = shrink(script, fails, { runs });
  if (shrunk === null) return null;
  const { violation, script: short } = shrunk;
  return { violation, text: annotateScript(short, [violation]), steps: short.steps.length, runs: run };
}
