/** What the commands need of the simulator: small, so that tests can put another one in its place. */
import type { CoreBuild } from '../../sim/core-build.js';
import type { CoreName, Script } from '../../sim/script/script.js';
import type { RunResult } from '../../sim/world/result.js';

/** What is simulated. */
export interface SimulatorChoice {
  /** Which scripts a seed may give: the name of one of PROFILES. */
  readonly profile: string;
  /** Whose implementation both nodes run; null: what the script says. */
  readonly as: CoreName | null;
  /** Which implementations the scripts name that are run. */
  readonly cores: readonly CoreName[];
}

export interface Simulator {
  /** The seed's script. */
  generate(seed: number): Script;
  /** The script with the nodes that were chosen. */
  played(script: Script): Script;
  /** What became of the script; `trace` is given a line for everything that happens. */
  run(script: Script, trace?: (line: string) => void): RunResult;
  /** Cores besides our own, for what runs scripts itself. */
  readonly cores: Readonly<Partial<Record<CoreName, CoreBuild>>>;
}

/** A module that has a simulator: simulator.ts. */
export interface SimulatorModule {
  openSimulator(choice: SimulatorChoice): Promise<Simulator>;
}

/** URL of the real one. */
export const SIMULATOR = new URL('./simulator.js', import.meta.url).href;
