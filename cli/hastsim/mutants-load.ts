/** Cores of several kinds in one process, so that a node of ours can meet one that behaves as the reference does. */
import type { CoreBuild } from '../../sim/core-build.js';
import { differencesOf } from '../../sim/faults/cores.js';
import type { CoreName } from '../../sim/script/script.js';
import { Copies, loadBuild } from './mutants-copies.js';

/** The cores of these names. */
export async function loadCores(
  names: readonly CoreName[],
): Promise<Readonly<Partial<Record<CoreName, CoreBuild>>>> {
  const others = names.filter((name) => name !== 'own');
  if (others.length === 0) return {};
  const copies = new Copies();
  try {
    const builds = others.map(
      async (name) => [name, await loadBuild(copies.build(differencesOf(name)))] as const,
    );
    return Object.fromEntries(await Promise.all(builds));
  } finally {
    copies.remove();
  }
}
