/**
 * Temporary copies of the compiled core and simulator with patches applied. The files are copied once; a build of its own
 * is a folder of links to them, in which only the patched files are new.
 */
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Mutant } from '../../sim/faults/mutant.js';
import { patched, patchesByFile } from '../../sim/faults/patched.js';

const DIST = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['core', 'sim'];
const ORIGINAL = 'original';

export class Copies {
  readonly #folder: string;
  readonly #files: readonly string[];
  #builds = 0;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'hastsim-'));
    this.#files = COPIED.flatMap((name) => filesIn(name));
    this.#begin(ORIGINAL);
    for (const file of this.#files) copyFileSync(join(DIST, file), join(this.#folder, ORIGINAL, file));
  }

  /**
   * A build in which all these mutants are at work; the address of its folder, with `core/` and `sim/` below it. Throws
   * when a patch does not fit.
   */
  build(mutants: readonly Mutant[]): URL {
    const name = `build${String(++this.#builds)}`;
    this.#begin(name);
    const patches = patchesByFile(mutants);
    for (const file of this.#files) {
      const source = join(this.#folder, ORIGINAL, file);
      const target = join(this.#folder, name, file);
      const changes = file.startsWith(`core${sep}`)
        ? patches.get(file.slice(5).replaceAll(sep, '/'))
        : undefined;
      if (changes === undefined) linkSync(source, target);
      else writeFileSync(target, patched(readFileSync(source, 'utf8'), changes));
    }
    return pathToFileURL(join(this.#folder, name) + sep);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #begin(name: string): void {
    const root = join(this.#folder, name);
    for (const folder of new Set(this.#files.map((file) => dirname(file))))
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }\n');
    symlinkSync(nodeModules(), join(root, 'node_modules'), 'junction');
  }
}

/** Paths below dist/. */
function filesIn(folder: string): string[] {
  return readdirSync(join(DIST, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.name.endsWith('.js') ? [path] : [];
  });
}

/** Where the simulator finds what it imports from packages. */
function nodeModules(): string {
  const found = createRequire(import.meta.url).resolve('@noble/hashes/sha2.js');
  return found.slice(0, found.lastIndexOf(`node_modules${sep}`) + 'node_modules'.length);
}
