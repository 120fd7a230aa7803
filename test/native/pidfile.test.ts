import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { portError } from '../../core/ports/error.js';
import { loadAddon } from '../../native/addon.js';
import { lockExclusive } from '../../native/lock.js';
import { openPidfile } from '../../native/pidfile.js';
import type { PidfileOpening } from '../../native/pidfile.js';

const { addon } = loadAddon();
const lock = (descriptor: number): ReturnType<typeof lockExclusive> => lockExclusive(descriptor, addon);

describe('pidfile', () => {
  let folder = '';
  let path = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hast-pidfile-'));
    path = join(folder, 'pid');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function held(opening: PidfileOpening): Extract<PidfileOpening, { kind: 'held' }>['pidfile'] {
    if (opening.kind !== 'held') throw new Error(opening.kind);
    return opening.pidfile;
  }

  it('holds the decimal number, without a newline, for its owner only', () => {
    const pidfile = held(openPidfile(path, lock));
    expect(readFileSync(path, 'latin1')).toBe('');
    expect(pidfile.write(4711)).toBeNull();
    expect(readFileSync(path, 'latin1')).toBe('4711');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    pidfile.remove();
    expect(existsSync(path)).toBe(false);
  });

  it('tells who holds it', () => {
    const pidfile = held(openPidfile(path, lock));
    expect(openPidfile(path, lock)).toEqual({ kind: 'running', pid: -1 });
    pidfile.write(4711);
    expect(openPidfile(path, lock)).toEqual({ kind: 'running', pid: 4711 });
    pidfile.remove();
  });

  it('takes over what a dead daemon left, however long it was', () => {
    writeFileSync(path, '123456789');
    const pidfile = held(openPidfile(path, lock));
    pidfile.write(7);
    expect(readFileSync(path, 'latin1')).toBe('7');
    pidfile.remove();
  });

  it('does not take a file for its own that a daemon just ending removes', () => {
    let first = true;
    const opening = openPidfile(path, (descriptor) => {
      if (first) unlinkSync(path);
      first = false;
      return lock(descriptor);
    });
    held(opening).write(7);
    expect(readFileSync(path, 'latin1')).toBe('7');
    held(opening).remove();
  });

  it('says why it cannot be', () => {
    const missing = join(folder, 'missing', 'pid');
    expect(openPidfile(missing, lock)).toMatchObject({ kind: 'failed', error: { code: 'ENOENT' } });
    const noLocks = portError('EOPNOTSUPP', 'no way to take a lock');
    expect(openPidfile(path, () => noLocks)).toEqual({ kind: 'failed', error: noLocks });
    closeSync(openSync(path, 'r'));
  });
});
