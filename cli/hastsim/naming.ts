/**
 * Names what a script shows about the reference: the weaknesses (core/spec/replication.md section 15) of which each one alone
 * is enough for the script to break the same invariant.
 */
import type { CoreBuild } from '../../sim/core-build.js';
import type { Mutant } from '../../sim/faults/mutant.js';
import { weaknesses } from '../../sim/faults/table.js';
import type { Script } from '../../sim/script/script.js';
import { runScript } from '../../sim/world/run.js';
import { Copies, loadBuild } from './mutants-copies.js';

/** The same core with one weakness. */
interface Suspect {
  readonly weakness: Mutant;
  readonly core: CoreBuild;
}

export class Naming {
  #suspects: Promise<readonly Suspect[]> | null = null;

  /** `script` plays on nodes of `freebsd-12.1`. */
  async weaknessesBehind(script: Script, invariant: string): Promise<readonly Mutant[]> {
    this.#suspects ??= loadSuspects();
    const guilty: Mutant[] = [];
    for (const { weakness, core } of await this.#suspects) {
      const { violations } = runScript(script, { cores: { 'freebsd-12.1': core } });
      if (violations.some((violation) => violation.invariant === invariant)) guilty.push(weakness);
    }
    return guilty;
  }
}

async function loadSuspects(): Promise<readonly Suspect[]> {
  const copies = new Copies();
  try {
    const suspects: Suspect[] = [];
    for (const weakness of weaknesses) {
      suspects.push({ weakness, core: await loadBuild(copies.build([weakness])) });
    }
    return suspects;
  } finally {
    copies.remove();
  }
}
