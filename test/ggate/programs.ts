/**
 * The programs as they would be installed where there is GEOM gate: a copy of the build, with the addon of the fake kernel
 * in the place of the real one.
 */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAKE_ADDON } from './kernel.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Programs {
  /** The folder of hastd.js and hastctl.js. */
  readonly folder: string;
  remove(): void;
}

export function programsWithGgate(): Programs {
  const root = mkdtempSync(join(tmpdir(), 'hast-programs-'));
  for (const part of ['core', 'native', 'cli']) {
    cpSync(join(ROOT, 'dist', part), join(root, 'dist', part), { recursive: true });
  }
  copyFileSync(join(ROOT, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  mkdirSync(join(root, 'native', 'build', 'Release'), { recursive: true });
  copyFileSync(FAKE_ADDON, join(root, 'native', 'build', 'Release', 'hast.node'));
  return {
    folder: join(root, 'dist', 'cli'),
    remove: () => {
      rmSync(root, { recursive: true });
    },
  };
}
