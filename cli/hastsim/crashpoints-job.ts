/** What a thread of `hastsim crashpoints` does. */
import { runCrashPoint } from '../../sim/tools/crashpoints.js';
import type { RunResult } from '../../sim/world/result.js';
import { crashesOf } from './crashes.js';
import type { CrashPlan } from './crashes.js';
import type { Job } from './pool-memory.js';
import type { SimulatorModule } from './simulator-port.js';

export interface CrashReport {
  readonly item: number;
  readonly result: RunResult;
}

export async function open(plan: CrashPlan): Promise<Job<CrashReport>> {
  const { openSimulator } = (await import(plan.simulator)) as SimulatorModule;
  const { cores } = await openSimulator(plan.choice);
  const items = crashesOf(plan, { cores });
  return (item, report) => {
    const found = items[item];
    if (found === undefined) return;
    const { script, point, crash } = found;
    report({ item, result: runCrashPoint(script, point, crash, { cores }) });
  };
}
