import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runHastctl } from './run-hastctl.js';
import type { Ending } from './run-hastctl.js';

let folder = '';
let pidfile = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-stop-'));
  pidfile = join(folder, 'pid');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function stop(): Promise<Ending> {
  return runHastctl(['stop'], { folder, control: join(folder, 'ctl'), components: {} });
}

/** Like hastd: holds the pidfile, and removes its socket as the last thing it does, a while after TERM. */
const DAEMON = `
  const server = require('node:net').createServer().listen(process.argv[1], () => console.log(process.pid));
  process.on('SIGTERM', () => setTimeout(() => server.close(), 200));`;

async function startDaemon(): Promise<{ locker: ChildProcess; pid: string }> {
  writeFileSync(pidfile, '');
  const args = ['-x', pidfile, process.execPath, '-e', DAEMON, join(folder, 'ctl')];
  const locker = spawn('flock', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(locker.stdout, 'data')) as [Buffer];
  return { locker, pid: pid.toString().trim() };
}

test('a running daemon is told to end, and is gone afterwards', async () => {
  const { locker, pid } = await startDaemon();
  writeFileSync(pidfile, pid);
  const exited = once(locker, 'exit');
  expect(await stop()).toEqual({ exit: 0, stdout: '', stderr: '' });
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  expect(await exited).toEqual([0, null]);
});

test('a pidfile that nobody holds is stale: its number may be any process', async () => {
  writeFileSync(pidfile, String(process.pid));
  expect(await stop()).toEqual({
    exit: 71,
    stdout: '',
    stderr: `[ERROR] hastd is not running: nobody holds pidfile ${pidfile}.\n`,
  });
});

test('no pidfile', async () => {
  expect(await stop()).toEqual({
    exit: 71,
    stdout: '',
    stderr: `[ERROR] Unable to read pidfile ${pidfile}: No such file or directory. Is hastd running?\n`,
  });
});

test('a pidfile without a number', async () => {
  const { locker, pid } = await startDaemon();
  writeFileSync(pidfile, '-1');
  expect(await stop()).toMatchObject({
    exit: 71,
    stderr: `[ERROR] Pidfile ${pidfile} holds no process id.\n`,
  });
  const exited = once(locker, 'exit');
  process.kill(Number(pid), 'SIGTERM');
  await exited;
});
