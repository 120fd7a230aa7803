/** The thread of `hastsim shrink`: one script, which can be told to be content with what it has. */
import type { Job } from './pool-memory.js';
import { shorten } from './shorten.js';
import type { Effort, ShortScript } from './shorten.js';
import type { SimulatorChoice, SimulatorModule } from './simulator-port.js';
import { parsed } from './subject.js';

export interface ShrinkPlan {
  /** URL of a SimulatorModule. */
  readonly simulator: string;
  readonly choice: SimulatorChoice;
  /** Text of the script. */
  readonly script: string;
  readonly effort: Effort;
}

export type ShrinkReport =
  | { readonly kind: 'runs'; readonly runs: number }
  | { readonly kind: 'end'; readonly short: ShortScript | null };

export async function open(plan: ShrinkPlan): Promise<Job<ShrinkReport>> {
  const { openSimulator } = (await import(plan.simulator)) as SimulatorModule;
  const simulator = await openSimulator(plan.choice);
  const script = simulator.played(parsed(plan.script, 'script'));
  return (_item, report, mayGoOn) => {
    const onRun = (runs: number): void => {
      report({ kind: 'runs', runs });
    };
    report({ kind: 'end', short: shorten(script, simulator, plan.effort, mayGoOn, onRun) });
  };
}
