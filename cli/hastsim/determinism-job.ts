/**
 * One process of `hastsim determinism`: runs seeds, and prints `SEED HASH` for each, or everything that happens in a single
 * one. What to do is in its only argument, as JSON.
 */
import { writeSync } from 'node:fs';
import { printStep } from '../../sim/script/print.js';
import type { SimulatorChoice, SimulatorModule } from './simulator-port.js';

export interface DeterminismPlan {
  /** URL of a SimulatorModule. */
  readonly simulator: string;
  readonly choice: SimulatorChoice;
  readonly first: number;
  readonly count: number;
  /** The last seed first: what one run leaves behind must not reach another. */
  readonly backwards: boolean;
  /** Print what happens, not the hash. */
  readonly trace: boolean;
}

const { simulator, choice, first, count, backwards, trace } = JSON.parse(
  process.argv[2] ?? '{}',
) as DeterminismPlan;
const { openSimulator } = (await import(simulator)) as SimulatorModule;
const { generate, run } = await openSimulator(choice);
for (let i = 0; i < count; i++) {
  const seed = first + (backwards ? count - 1 - i : i);
  const script = generate(seed);
  if (trace) {
    const lines = script.steps.map((step) => `script ${printStep(step)}`);
    run(script, (line) => lines.push(line));
    print(lines.join('\n'));
  } else {
    print(`${String(seed)} ${run(script).hash}`);
  }
}

/** To the pipe, all of it, before anything else is done. */
function print(text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  for (let written = 0; written < bytes.length;) written += writeSync(1, bytes, written);
}
