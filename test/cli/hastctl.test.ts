import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HASTCTL = fileURLToPath(new URL('../../cli/hastctl.js', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-hastctl-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [HASTCTL, ...args], { encoding: 'latin1' });
  return { status, stdout, stderr };
}

test('the program is a program', () => {
  expect(run()).toMatchObject({ status: 64, stdout: '' });
  expect(run('help')).toMatchObject({ status: 0, stderr: '' });
});

test('a configuration that is not there, or wrong, is told with file and line', () => {
  const path = join(folder, 'hast.conf');
  expect(run('status', '-c', path)).toEqual({
    status: 72,
    stdout: '',
    stderr: `[ERROR] Unable to open configuration file ${path}: No such file or directory.\n`,
  });
  writeFileSync(path, 'timeout 5\nresource a { on b { remote none local /x } }\nresource local {\n');
  expect(run('role', '-c', path, '--node', 'b', 'nonsense')).toEqual({
    status: 78,
    stdout: '',
    stderr:
      "[ERROR] Unable to parse configuration file at line 2 near 'local': syntax error " +
      `(${path}:3: expected a resource name)\n`,
  });
});

test('the run directory is where the daemon is looked for by default', () => {
  const path = join(folder, 'hast.conf');
  writeFileSync(path, '');
  expect(run('status', '-c', path, '--run-dir', folder)).toMatchObject({
    status: 71,
    stderr: `[ERROR] Unable to connect to hastd via ${folder}/hastctl: No such file or directory.\n`,
  });
  expect(run('stop', '-c', path, `--run-dir=${folder}`)).toMatchObject({
    status: 71,
    stderr: expect.stringContaining(`${folder}/hastd.pid`) as unknown,
  });
});

test('bytes of the configuration come out as they went in', () => {
  const path = join(folder, 'hast.conf');
  writeFileSync(path, Buffer.from('\xff\xfe\xe9resource', 'latin1'));
  expect(run('status', '-c', path).stderr).toContain("near ''");
});

test('a reader that goes away is no disaster', async () => {
  const child = spawn(process.execPath, [HASTCTL, 'help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  expect(stderr).toBe('');
});
