/**
 * What a thread of `hastsim fuzz` does: runs the script of a file or seed; the script of a failing seed is made short at
 * once, by the thread that found it.
 */
import type { RunResult, Violation } from '../../sim/world/result.js';
import type { Job } from './pool-memory.js';
import { shorten } from './shorten.js';
import type { Effort, ShortScript } from './shorten.js';
import type { SimulatorChoice, SimulatorModule } from './simulator-port.js';
import { parsed } from './subject.js';

/** Items are the files, then the seeds from `first` on. */
export interface FuzzPlan {
  /** URL of a SimulatorModule. */
  readonly simulator: string;
  readonly choice: SimulatorChoice;
  readonly files: readonly ScriptFile[];
  readonly first: number;
  /** Shared: how many more scripts are made short, for each invariant. */
  readonly shrinks: Int32Array;
  /** What one script may cost. */
  readonly effort: Effort;
}

export interface ScriptFile {
  readonly path: string;
  readonly text: string;
}

export type FuzzReport =
  /** `shrinking`: a second report follows. */
  | { readonly kind: 'ran'; readonly item: number; readonly result: RunResult; readonly shrinking: boolean }
  /** `short` null: run again, the script does not fail. */
  | { readonly kind: 'shrunk'; readonly item: number; readonly short: ShortScript | null };

export async function open(plan: FuzzPlan): Promise<Job<FuzzReport>> {
  const { openSimulator } = (await import(plan.simulator)) as SimulatorModule;
  const simulator = await openSimulator(plan.choice);
  return (item, report, mayGoOn) => {
    const file = plan.files[item];
    const seed = plan.first + item - plan.files.length;
    const script =
      file === undefined ? simulator.generate(seed) : simulator.played(parsed(file.text, file.path));
    const result = simulator.run(script);
    const [violation] = result.violations;
    const shrinking = violation !== undefined && file === undefined && mayShrink(plan.shrinks, violation);
    report({ kind: 'ran', item, result, shrinking });
    if (!shrinking) return;
    report({ kind: 'shrunk', item, short: shorten(script, simulator, plan.effort, mayGoOn) });
  };
}

/** I1 to I30, and one place for all that have no number. */
const INVARIANTS = 31;

/** Lets `each` failures of every invariant be made short. */
export function shrinkAllowance(each: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(INVARIANTS * Int32Array.BYTES_PER_ELEMENT)).fill(each);
}

function mayShrink(allowance: Int32Array, { invariant }: Violation): boolean {
  const number = Number(/^I(\d+)/.exec(invariant)?.[1] ?? 0) % INVARIANTS;
  return Atomics.sub(allowance, number, 1) > 0;
}
