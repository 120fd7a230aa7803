/** The programs as another version of them would be: a copy of what was compiled, changed where that version differs. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differencesOf } from '../../../sim/faults/cores.js';
import { patched, patchesByFile } from '../../../sim/faults/patched.js';
import type { CoreName } from '../../../sim/script/script.js';

const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Makes them in `folder`; what to give to `Host.install`. */
export function makeOldPrograms(folder: string, core: CoreName): string {
  for (const part of ['core', 'native', 'cli']) {
    const filter = (path: string): boolean => !/\.(map|d\.ts|tsbuildinfo)$/.test(path);
    cpSync(join(PROJECT, 'dist', part), join(folder, 'dist', part), { recursive: true, filter });
  }
  for (const same of ['node_modules', 'native']) symlinkSync(join(PROJECT, same), join(folder, same));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const [file, changes] of patchesByFile(differencesOf(core))) {
    const path = join(folder, 'dist/core', file);
    writeFileSync(path, patched(readFileSync(path, 'utf8'), changes));
  }
  return join(folder, 'dist/cli');
}
