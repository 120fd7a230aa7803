/** Scripts that failed once, one file each: what `hastsim fuzz` runs first. Names tell invariant and seed. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsed } from './subject.js';
import type { ScriptFile } from './fuzz-job.js';

const SUFFIX = '.hast';

/** The scripts in `folder`; none when it does not exist yet. Throws a Failure when one is not a script. */
export function readCorpus(folder: string): readonly ScriptFile[] {
  const files: ScriptFile[] = [];
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    parsed(text, path);
    files.push({ path, text });
  }
  return files;
}

/** The path of the new file; `about`, a line, goes to its top as a comment. */
export function keep(folder: string, name: string, about: string, script: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name + SUFFIX);
  writeFileSync(path, `# ${about}\n${script}`);
  return path;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(SUFFIX))
      .sort();
  } catch {
    return [];
  }
}
