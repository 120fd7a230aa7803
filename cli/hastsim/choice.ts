/** The options that choose what is simulated, `--profile` and `--as`, and what follows from them. */
import { Option } from 'commander';
import { profileNamed, PROFILES } from '../../sim/nemesis/profiles.js';
import type { CoreName, Script } from '../../sim/script/script.js';
import type { SimulatorChoice } from './simulator-port.js';

export interface ChoiceOptions {
  readonly profile: string;
  readonly as?: CoreName;
}

export function profileOption(): Option {
  return new Option('--profile <name>', 'what kind of histories the seeds give: see `hastsim profiles`')
    .choices(PROFILES.map(({ name }) => name))
    .default('default');
}

export function asOption(): Option {
  const cores: readonly CoreName[] = ['freebsd-12.1', 'protocol-1'];
  return new Option('--as <implementation>', 'both nodes behave as that one does').choices(cores);
}

/** The choice for `scripts`, and for the seeds of the profile. */
export function choiceOf({ profile, as }: ChoiceOptions, scripts: readonly Script[]): SimulatorChoice {
  const setups = [...(profileNamed(profile)?.cores ?? []), ...scripts.map(({ setup }) => setup.cores)];
  const cores = as === undefined ? setups.flatMap(({ a, b }) => [a, b]) : [as];
  return { profile, as: as ?? null, cores: [...new Set(cores)] };
}

/** The options again, for a command line about a seed or, without the profile, a file. */
export function choiceArguments({ profile, as }: ChoiceOptions, about: 'seed' | 'file'): readonly string[] {
  return [
    ...(about === 'seed' && profile !== 'default' ? ['--profile', profile] : []),
    ...(as === undefined ? [] : ['--as', as]),
  ];
}
