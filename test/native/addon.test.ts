import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { errnoError, loadAddon } from '../../native/addon.js';
import { builtAddon } from './addons.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe.skipIf(builtAddon === null)('addon (needs: the addon)', () => {
  const addon = builtAddon;
  if (addon === null) return;

  it('gives zeroed memory that can be written to its end', () => {
    const buffer = new Uint8Array(addon.alignedBuffer(1_000_000));
    expect(buffer.length).toBe(1_000_000);
    expect(buffer.every((byte) => byte === 0)).toBe(true);
    buffer.fill(1);
    expect(buffer.at(-1)).toBe(1);
  });

  it('knows who is at the other end of a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hast-addon-'));
    const server = net.createServer().listen(join(folder, 'socket'));
    await once(server, 'listening');
    const client = net.connect(join(folder, 'socket'));
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const { fd } = (accepted as unknown as { _handle: { fd: number } })._handle;
    expect(addon.peerCredentials(fd)).toEqual({ uid: process.getuid?.(), gid: process.getgid?.() });
    expect(addon.peerCredentials(-1)).toBeGreaterThan(0);
    client.destroy();
    accepted.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it.skipIf(process.platform !== 'linux')('gives up new privileges for good (needs: Linux)', () => {
    const script =
      "import { loadAddon } from './dist/native/addon.js'; import { readFileSync } from 'node:fs';" +
      "console.log(loadAddon().addon.noNewPrivileges(), readFileSync('/proc/self/status', 'latin1'));";
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(output).toMatch(/^0 /);
    expect(output).toMatch(/^NoNewPrivs:\s1$/m);
  });

  it('tells errors as errno', () => {
    expect(errnoError(addon.flock(-1))).toMatchObject({ code: 'EBADF', message: 'Bad file descriptor' });
    expect(errnoError(-addon.mediaSize(-1))).toMatchObject({ code: 'EBADF' });
    expect(errnoError(0)).toBeNull();
  });

  it('logs without a syslog daemon', () => {
    addon.openlog('hast-test', 24);
    addon.syslog(31, 'one line of a test');
    addon.closelog();
  });
});

describe('addon', () => {
  it('is not loaded when HAST_NO_ADDON is set, and says so', () => {
    process.env['HAST_NO_ADDON'] = '1';
    try {
      expect(loadAddon()).toEqual({ addon: null, reason: 'HAST_NO_ADDON is set' });
    } finally {
      delete process.env['HAST_NO_ADDON'];
    }
  });

  it('is not built without a compiler: one plain line, exit 0', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hast-build-'));
    copyFileSync(join(root, 'native/build-addon.mjs'), join(folder, 'build-addon.mjs'));
    copyFileSync(join(root, 'native/binding.gyp'), join(folder, 'binding.gyp'));
    cpSync(join(root, 'native/src'), join(folder, 'src'), { recursive: true });
    const output = execFileSync(process.execPath, [join(folder, 'build-addon.mjs')], {
      encoding: 'utf8',
      env: { PATH: folder },
    });
    expect(output).toBe('addon: not built (there is no C++ compiler); hastd works without it\n');
    rmSync(folder, { recursive: true });
  });

  it.skipIf(builtAddon === null)(
    'is not built again while its sources stay the same (needs: the addon)',
    () => {
      const built = join(root, 'native/build/built-from');
      expect(existsSync(built)).toBe(true);
      const before = readFileSync(built, 'utf8');
      expect(
        execFileSync(process.execPath, [join(root, 'native/build-addon.mjs')], { encoding: 'utf8' }),
      ).toBe('');
      expect(readFileSync(built, 'utf8')).toBe(before);
    },
  );
});
