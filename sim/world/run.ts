/** Runs a script in a world of its own. */
import type { Script } from '../script/script.js';
import type { RunResult } from './result.js';
import { World, type RunOptions } from './world.js';

export type { RunOptions } from './world.js';

export function runScript(script: Script, options: RunOptions = {}): RunResult {
  return new World(script.setup, options).run(script.steps);
}
