/** Start-up of hastd in the reference's order, with its messages and exit statuses (core/spec/cli.md section 9). */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, freePort, run, runHastd } from './cluster.js';
import type { Finished } from './cluster.js';

const HASTD = fileURLToPath(new URL('../../cli/hastd.js', import.meta.url));
const HASTCTL = fileURLToPath(new URL('../../cli/hastctl.js', import.meta.url));
const SILENT_SUCCESS: Finished = { status: 0, stdout: '', stderr: '' };

describe('hastd starts', { timeout: 120_000 }, () => {
  let folder = '';
  let config = '';
  let pidfile = '';
  let control = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hast-e2e-'));
    config = join(folder, 'hast.conf');
    pidfile = join(folder, 'pid');
    control = join(folder, 'ctl');
    configure(`unix://${folder}/listen`);
  });
  afterEach(async () => {
    const pid = pidIn(pidfile);
    if (pid !== 0 && existsSync(`/proc/${pid}`)) {
      process.kill(pid, 'SIGKILL');
      await eventually('hastd to be gone', () => !existsSync(`/proc/${pid}`));
    }
    rmSync(folder, { recursive: true });
  });

  function configure(listen: string, more = ''): void {
    writeFileSync(config, `control ${control}\npidfile ${pidfile}\nlisten ${listen}\n${more}`);
  }

  function pidIn(path: string): number {
    return existsSync(path) ? Number(readFileSync(path, 'latin1')) : 0;
  }

  const hastctl = (...args: string[]): Promise<Finished> => run(HASTCTL, [...args, '-c', config]);

  it('without any resource, as the test of FreeBSD does', async () => {
    expect(await runHastd('-c', config)).toEqual(SILENT_SUCCESS);
    expect(await hastctl('status')).toEqual(SILENT_SUCCESS);
    expect(await hastctl('stop')).toEqual(SILENT_SUCCESS);
    expect(existsSync(pidfile)).toBe(true);
    expect([existsSync(control), existsSync(join(folder, 'listen'))]).toEqual([false, false]);
  });

  it('as a daemon of its own: session, directory, descriptors, pidfile, command line', async () => {
    expect(await runHastd('-c', config)).toEqual(SILENT_SUCCESS);
    const text = readFileSync(pidfile, 'latin1');
    expect(text).toMatch(/^[1-9]\d*$/);
    expect(statSync(pidfile).mode & 0o777).toBe(0o600);
    const pid = Number(text);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
    for (const descriptor of [0, 1, 2])
      expect(readlinkSync(`/proc/${pid}/fd/${descriptor}`)).toBe('/dev/null');
    const session = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[3];
    expect(Number(session)).toBe(pid);
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    expect(commandLine.slice(-4)).toEqual([HASTD, '-c', config, '']);
  });

  it('in the foreground, logging to the terminal, without a pidfile', async () => {
    const daemon = spawn(process.execPath, [HASTD, '-Fd', '--user', 'root', '-c', 'hast.conf'], {
      cwd: folder,
    });
    let [stdout, stderr] = ['', ''];
    daemon.stdout.on('data', (text: Buffer) => (stdout += text.toString('latin1')));
    daemon.stderr.on('data', (text: Buffer) => (stderr += text.toString('latin1')));
    await eventually('hastd to listen', () => stdout.includes('Listening on address'));
    expect(existsSync(pidfile)).toBe(false);
    const exited = new Promise((resolve) => daemon.once('close', resolve));
    daemon.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(stderr).toBe('');
    const aboutSystem = /^\[INFO\] (Privileges not dropped|Running without the addon)/;
    expect(stdout.split('\n').filter((line) => !aboutSystem.test(line))).toEqual([
      '[INFO] Started successfully, running protocol version 2.',
      `[DEBUG][1] Listening on control address ${control}.`,
      `[INFO] Listening on address unix://${folder}/listen.`,
      '[INFO] Termination signal received, exiting.',
      '',
    ]);
  });

  it('only once', async () => {
    expect(await runHastd('-c', config)).toEqual(SILENT_SUCCESS);
    const running = `Another hastd is already running, pidfile: ${pidfile}, pid: ${pidIn(pidfile)}.`;
    const refused = { status: 75, stdout: '', stderr: `[ERROR] ${running}\n` };
    expect(await runHastd('-c', config)).toEqual(refused);
    expect(await runHastd('-F', '-P', pidfile, '-c', config)).toEqual(refused);
  });

  it('over a pidfile and a control socket left behind', async () => {
    expect(await runHastd('-c', config)).toEqual(SILENT_SUCCESS);
    const dead = pidIn(pidfile);
    process.kill(dead, 'SIGKILL');
    await eventually('hastd to be gone', () => !existsSync(`/proc/${dead}`));
    expect(existsSync(control)).toBe(true);
    expect(await runHastd('-c', config)).toEqual(SILENT_SUCCESS);
    expect(pidIn(pidfile)).not.toBe(dead);
    expect(await hastctl('status')).toEqual(SILENT_SUCCESS);
  });

  it('with a warning when there can be no pidfile', async () => {
    const impossible = join(folder, 'missing', 'pid');
    const { status, stderr } = await runHastd('-c', config, '-P', impossible);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `[WARNING] Unable to open or create pidfile ${impossible}: No such file or directory.\n`,
    });
    // There is no number to stop it by, but its command line.
    const pid = execFileSync('pgrep', ['-f', `hastd.js -c ${config} -P`], { encoding: 'latin1' });
    process.kill(Number(pid), 'SIGTERM');
    await eventually('hastd to end', () => !existsSync(control));
  });

  it('not without a configuration', async () => {
    expect(await runHastd('-c', '/nonexistent/hast.conf')).toEqual({
      status: 72,
      stdout: '',
      stderr:
        '[ERROR] Unable to open configuration file /nonexistent/hast.conf: No such file or directory.\n',
    });
    const { status, stderr } = await run(HASTD, ['-c', 'missing.conf'], folder);
    expect({ status, stderr }).toEqual({
      status: 78,
      stderr: '[ERROR] Unable to obtain full path of missing.conf: No such file or directory.\n',
    });
  });

  it('not with a wrong one, and says where', async () => {
    configure('0.0.0.0', 'resource r0 {\n  locol /x\n}\n');
    const { status, stdout, stderr } = await runHastd('-c', config);
    expect([status, stdout]).toEqual([78, '']);
    expect(stderr).toContain(
      "[ERROR] Unable to parse configuration file at line 4 near 'locol': syntax error",
    );
    expect(stderr).toContain(`${config}:5`);
    expect(existsSync(pidfile)).toBe(false);
  });

  it('not on an address in use, and leaves nothing behind', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await eventually('the other server', () => other.listening);
    configure(`tcp4://127.0.0.1:${port}`);
    const address = `tcp4://127.0.0.1:${port}`;
    const refused = {
      status: 71,
      stdout: '',
      stderr: `[ERROR] Unable to listen on address ${address}: Address already in use.\n`,
    };
    expect(await runHastd('-c', config)).toEqual(refused);
    expect(await runHastd('-F', '-c', config)).toEqual(refused);
    other.close();
    expect([existsSync(pidfile), existsSync(control)]).toEqual([false, false]);
  });

  it('not where the control socket cannot be', async () => {
    closeSync(openSync(control, 'w'));
    const { status, stderr } = await runHastd('-c', config);
    expect(status).toBe(71);
    expect(stderr).toMatch(/^\[ERROR\] Unable to listen on control address .*\/ctl: .* is not a socket.*\n$/);
    expect([existsSync(control), existsSync(pidfile)]).toEqual([true, false]);
  });

  it('not with a pidfile path that is too long', async () => {
    const { status, stderr } = await runHastd('-c', config, '-P', `/${'x'.repeat(1023)}`);
    expect({ status, stderr }).toEqual({ status: 78, stderr: '[ERROR] Pidfile path is too long.\n' });
  });

  it('not with a wrong command line', async () => {
    const usage = 'hastd: [-dFh] [-c config] [-P pidfile]\n';
    expect(await runHastd('-h')).toEqual({ status: 64, stdout: '', stderr: usage });
    const illegal = { status: 64, stdout: '', stderr: `hastd: illegal option -- x\n${usage}` };
    expect(await runHastd('-x')).toEqual(illegal);
  });

  it('and follows its configuration to another pidfile', async () => {
    expect(await runHastd('-c', config)).toEqual(SILENT_SUCCESS);
    const pid = pidIn(pidfile);
    const other = join(folder, 'other-pid');
    writeFileSync(config, readFileSync(config, 'latin1').replace(pidfile, other));
    process.kill(pid, 'SIGHUP');
    await eventually('the new pidfile', () => pidIn(other) === pid && !existsSync(pidfile));
    expect(await hastctl('stop')).toEqual(SILENT_SUCCESS);
  });

  it('and logs to syslog, workers too, with logger where there is no addon', async () => {
    const log = join(folder, 'syslog');
    const logger = join(folder, 'logger');
    writeFileSync(logger, `#!/bin/sh\nwhile read -r line; do echo "$2 $4 $line" >> ${log}; done\n`);
    chmodSync(logger, 0o755);
    const resource = `resource r0 {\n local ${folder}/missing\n on me { remote none }\n}\n`;
    configure(`unix://${folder}/listen`, resource);
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, HAST_NO_ADDON: '1' };
    execFileSync(process.execPath, [HASTD, '-d', '-c', config, '--node', 'me'], { env });
    const pid = pidIn(pidfile);
    const control = ['role', '-c', config, '--node', 'me', 'primary', 'r0'];
    expect(await run(HASTCTL, control)).toEqual(SILENT_SUCCESS);
    const lines = await eventually('the worker to fail', () => {
      const text = readFileSync(log, 'latin1');
      return text.includes('back to init') && text.includes('Unable to open') && text;
    });
    expect(lines).toContain(`hastd[${pid}] daemon.info Started successfully, running protocol version 2.\n`);
    expect(lines).toContain(`hastd[${pid}] daemon.debug Listening on control address`);
    expect(lines).toMatch(
      /^hastd\[\d+\] daemon\.err \[r0\] \(primary\) Unable to open .*missing: No such file/m,
    );
    process.kill(pid, 'SIGTERM');
    await eventually('hastd to end', () => !existsSync(`/proc/${pid}`));
  });

  it('in places whose names are not ASCII', async () => {
    const place = join(folder, 'dépôt 東');
    mkdirSync(place);
    const named = join(place, 'hast.conf');
    writeFileSync(named, `listen unix://${folder}/listen\n`);
    const options = ['-c', named, '--run-dir', place];
    pidfile = join(place, 'hastd.pid');
    expect(await runHastd(...options)).toEqual(SILENT_SUCCESS);
    expect(existsSync(join(place, 'hastctl'))).toBe(true);
    expect(await run(HASTCTL, ['status', ...options])).toEqual(SILENT_SUCCESS);
    expect(await run(HASTCTL, ['stop', ...options])).toEqual(SILENT_SUCCESS);
    expect(existsSync(join(place, 'hastctl'))).toBe(false);
  });

  it('not when its launcher is gone before it is ready', async () => {
    // It cannot get ready before somebody writes its configuration.
    const statements = readFileSync(config);
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const writer = openSync(fifo, 'r+');
    const launcher = spawn(process.execPath, [HASTD, '-c', fifo], { stdio: 'ignore' });
    const daemon = await eventually('the daemon', () =>
      Number(readFileSync(`/proc/${launcher.pid ?? 0}/task/${launcher.pid ?? 0}/children`, 'latin1')),
    );
    launcher.kill('SIGKILL');
    await once(launcher, 'exit');
    writeSync(writer, statements);
    closeSync(writer);
    await eventually('the daemon to end', () => !existsSync(`/proc/${daemon}`));
    expect(existsSync(control)).toBe(false);
  });
});
