/** Cores of several kinds in one process, so that a node of ours can meet one that behaves as the reference does. */
import type { CoreBuild } from '../../sim/core-build.js';
import type { Mutant } from '../../sim/faults/mutant.js';
import type { Copies } from './mutants-copies.js';

/** A core in which all these mutants are at work. */
export async function loadCore(copies: Copies, mutants: readonly Mutant[]): Promise<CoreBuild> {
  const build = copies.build(mutants);
  type Daemons = Pick<CoreBuild, 'Daemon'>;
  type Workers = Pick<CoreBuild, 'startPrimary' | 'startSecondary'>;
  const { Daemon } = (await import(new URL('core/daemon/daemon.js', build).href)) as Daemons;
  const { startPrimary, startSecondary } = (await import(
    new URL('core/resource/worker.js', build).href
  )) as Workers;
  return { Daemon, startPrimary, startSecondary };
}
