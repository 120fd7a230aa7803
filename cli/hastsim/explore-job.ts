/** What a thread of `hastsim explore` does: the small worlds of one replication mode. */
import type { ReplicationMode } from '../../core/config/types.js';
import { explore } from '../../sim/tools/explore.js';
import type { Exploration } from '../../sim/tools/explore.js';
import type { Job } from './pool-memory.js';
import type { SimulatorChoice, SimulatorModule } from './simulator-port.js';

export interface ExplorePlan {
  readonly simulator: string;
  readonly choice: SimulatorChoice;
  /** The items. */
  readonly modes: readonly ReplicationMode[];
  /** For each mode. */
  readonly runs: number;
  readonly maxWrites: number;
  readonly maxStrikes: number;
}

/** What is known so far about the worlds of item `item`. */
export interface ExploreReport {
  readonly item: number;
  readonly exploration: Exploration;
  /** False: more would follow. */
  readonly done: boolean;
}

export async function open(plan: ExplorePlan): Promise<Job<ExploreReport>> {
  const { runs, maxWrites, maxStrikes } = plan;
  const { openSimulator } = (await import(plan.simulator)) as SimulatorModule;
  const core = plan.choice.as ?? 'own';
  const { cores } = await openSimulator(plan.choice);
  return (item, report, mayGoOn) => {
    const modes = plan.modes.slice(item, item + 1);
    const exploration = explore({ cores, core, runs, modes, maxWrites, maxStrikes });
    for (;;) {
      const { done = false, value } = exploration.next();
      report({ item, exploration: value, done });
      if (done || !mayGoOn()) return;
    }
  };
}
