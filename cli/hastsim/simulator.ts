/** The simulator as the commands use it. */
import { assert } from '../../core/base/assert.js';
import { generate } from '../../sim/nemesis/generate.js';
import { profileNamed } from '../../sim/nemesis/profiles.js';
import type { Script } from '../../sim/script/script.js';
import { runScript } from '../../sim/world/run.js';
import { loadCores } from './mutants-load.js';
import { traceLine } from './text.js';
import type { Simulator, SimulatorChoice } from './simulator-port.js';

export async function openSimulator({ profile, as, cores: names }: SimulatorChoice): Promise<Simulator> {
  const found = profileNamed(profile);
  assert(found !== null, `a profile ${profile}`);
  const cores = await loadCores(names);
  const played = (script: Script): Script =>
    as === null ? script : { ...script, setup: { ...script.setup, cores: { a: as, b: as } } };
  return {
    cores,
    played,
    generate: (seed) => played(generate(seed, found)),
    run(script, trace) {
      const tracer =
        trace === undefined
          ? null
          : (atMs: number, text: string): void => {
              trace(traceLine(atMs, text));
            };
      return runScript(script, { cores, tracer });
    },
  };
}
