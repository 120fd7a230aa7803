import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { lockExclusive } from '../../native/lock.js';
import { builtAddon, eachAddon } from './addons.js';

describe('locks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hast-lock-'));
  const path = join(folder, 'file');
  const open: number[] = [];
  const descriptor = (): number => {
    const fd = openSync(path, 'a');
    open.push(fd);
    return fd;
  };
  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  describe.each(eachAddon)('%s', (_, addon) => {
    it('are taken once, and free again when the holder closes', () => {
      const holder = descriptor();
      expect(lockExclusive(holder, addon)).toBeNull();
      expect(lockExclusive(descriptor(), addon)).toMatchObject({ code: 'EWOULDBLOCK' });
      closeSync(open.splice(open.indexOf(holder), 1)[0] ?? -1);
      expect(lockExclusive(descriptor(), addon)).toBeNull();
    });
  });

  it.skipIf(builtAddon === null)('are the same lock with and without the addon (needs: the addon)', () => {
    expect(lockExclusive(descriptor(), builtAddon)).toBeNull();
    expect(lockExclusive(descriptor(), null)).toMatchObject({ code: 'EWOULDBLOCK' });
  });

  it('are refused, never left out, when there is no way to lock', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      expect(lockExclusive(descriptor(), null)).toMatchObject({
        code: 'EOPNOTSUPP',
        message: expect.stringContaining('flock(1)') as string,
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});
