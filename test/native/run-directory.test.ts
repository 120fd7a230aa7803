import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOwnDirectory, prepareRunDirectory } from '../../native/run-directory.js';

const isRoot = process.geteuid?.() === 0;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-run-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the run directory', () => {
  it('is made for its owner and group, and those above it', () => {
    const path = join(folder, 'some', 'run');
    expect(prepareRunDirectory(path)).toBeNull();
    expect(statSync(path).mode & 0o7777 & ~0o750).toBe(0);
  });

  it.each([0o755, 0o770, 0o1777])('stays as it is (%o)', (mode) => {
    chmodSync(folder, mode);
    expect(prepareRunDirectory(folder)).toBeNull();
    expect(statSync(folder).mode & 0o7777).toBe(mode);
  });

  it('is refused when everybody may replace files in it', () => {
    chmodSync(folder, 0o777);
    expect(prepareRunDirectory(folder)).toEqual({
      code: 'EPERM',
      message: 'everybody may replace files in it (chmod o-w)',
    });
  });

  it('is refused when it is a file', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(prepareRunDirectory(join(folder, 'file'))).toMatchObject({ code: 'EEXIST' });
  });
});

describe('the directory of devices', () => {
  it('is our own', () => {
    expect(checkOwnDirectory(folder)).toBeNull();
  });

  it('is no link', () => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'hast'));
    expect(checkOwnDirectory(join(folder, 'hast'))).toMatchObject({ code: 'ENOTDIR' });
  });

  it.skipIf(!isRoot)("is nobody else's (needs: root)", () => {
    mkdirSync(join(folder, 'hast'));
    chownSync(join(folder, 'hast'), 65_534, 65_534);
    expect(checkOwnDirectory(join(folder, 'hast'))).toEqual({
      code: 'EPERM',
      message: 'it belongs to user 65534; remove it',
    });
  });
});
