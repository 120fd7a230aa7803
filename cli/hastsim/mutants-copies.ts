/**
 * Temporary copies of the compiled core with patches applied. The files are copied once; a build of its own is a folder of
 * links to them, in which only the patched files are new.
 */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { CoreBuild } from '../../sim/core-build.js';
import type { Mutant } from '../../sim/faults/mutant.js';
import { patched, patchesByFile } from '../../sim/faults/patched.js';

/** The compiled core; this file is dist/cli/hastsim/mutants-copies.js. */
const CORE = fileURLToPath(new URL('../../core', import.meta.url));
const ORIGINAL = 'original';

export class Copies {
  readonly #folder: string;
  readonly #files: readonly string[];
  #builds = 0;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'hastsim-'));
    this.#files = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.js'),
    );
    this.#begin(ORIGINAL);
    for (const file of this.#files) copyFileSync(join(CORE, file), join(this.#folder, ORIGINAL, file));
  }

  /** A core in which all these mutants are at work; the URL of its folder. Throws when a patch does not fit. */
  build(mutants: readonly Mutant[]): string {
    const name = `build${String(++this.#builds)}`;
    this.#begin(name);
    const patches = patchesByFile(mutants);
    for (const file of this.#files) {
      const source = join(this.#folder, ORIGINAL, file);
      const target = join(this.#folder, name, file);
      const changes = patches.get(file.replaceAll(sep, '/'));
      if (changes === undefined) linkSync(source, target);
      else writeFileSync(target, patched(readFileSync(source, 'utf8'), changes));
    }
    return pathToFileURL(join(this.#folder, name) + sep).href;
  }

  /** A build that nobody will load any more. */
  forget(url: string): void {
    rmSync(fileURLToPath(url), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #begin(name: string): void {
    const root = join(this.#folder, name);
    for (const folder of new Set(this.#files.map((file) => dirname(file))))
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n');
  }
}

/** Loads a build into this process, beside the core that is there already. */
export async function loadBuild(url: string): Promise<CoreBuild> {
  const [{ Daemon }, { startPrimary, startSecondary }] = (await Promise.all([
    import(`${url}daemon/daemon.js`),
    import(`${url}resource/worker.js`),
  ])) as [Pick<CoreBuild, 'Daemon'>, Omit<CoreBuild, 'Daemon'>];
  return { Daemon, startPrimary, startSecondary };
}
