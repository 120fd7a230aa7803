/**
 * The process in which one mutant is looked for: random histories of a profile on its core, until one breaks an invariant
 * that holds without the mutant, and is then made short. A mutant may hang or exhaust the memory: nothing but this process
 * suffers.
 */
import { generate } from '../../sim/nemesis/generate.js';
import { profileNamed } from '../../sim/nemesis/profiles.js';
import type { Script } from '../../sim/script/script.js';
import type { RunResult, Violation } from '../../sim/world/result.js';
import { runScript } from '../../sim/world/run.js';
import { loadBuild } from './mutants-copies.js';
import { shorten, type Effort } from './shorten.js';
import type { Simulator } from './simulator-port.js';

export interface MutantTask {
  /** URL of the core's folder. */
  readonly build: string;
  readonly profile: string;
  readonly from: number;
  readonly seeds: number;
  /** What making it short may cost, in time of the processor; null: it is not made short. */
  readonly effort: Effort | null;
}

export type MutantMessage =
  /** About to run this seed, or another script that it became. */
  | { readonly kind: 'at'; readonly seed: number }
  | { readonly kind: 'killed'; readonly violation: Violation }
  /** After `killed`, if it could be made short. */
  | { readonly kind: 'shrunk'; readonly script: string }
  | { readonly kind: 'survived' };

async function openSimulator(task: MutantTask): Promise<Simulator> {
  const cores = { own: await loadBuild(task.build) };
  const profile = profileNamed(task.profile);
  if (profile === null) throw new Error(`there is no profile ${task.profile}`);
  return {
    generate: (seed) => generate(seed, profile),
    played: (script) => script,
    run: (script) => blamed(script, runScript(script, { cores })),
    cores,
  };
}

/** What the core breaks as it is proves nothing about the mutant. */
function blamed(script: Script, result: RunResult): RunResult {
  const isInnocent = result.violations.length > 0 && runScript(script).violations.length > 0;
  return isInnocent ? { ...result, violations: [] } : result;
}

async function search(task: MutantTask, tell: (message: MutantMessage) => void): Promise<void> {
  const simulator = await openSimulator(task);
  for (let seed = task.from; seed < task.from + task.seeds; seed++) {
    tell({ kind: 'at', seed });
    const script = simulator.generate(seed);
    const [violation] = simulator.run(script).violations;
    if (violation === undefined) continue;
    tell({ kind: 'killed', violation });
    const onRun = (): void => {
      tell({ kind: 'at', seed });
    };
    const short =
      task.effort === null ? null : shorten(script, simulator, task.effort, () => true, onRun, processorMs);
    if (short !== null) tell({ kind: 'shrunk', script: short.text });
    return;
  }
  tell({ kind: 'survived' });
}

/** What this process has used: on a busy machine it gets as far as on an idle one. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

process.once('message', (task: MutantTask) => {
  void search(task, (message) => process.send?.(message)).then(() => {
    process.disconnect();
  });
});
