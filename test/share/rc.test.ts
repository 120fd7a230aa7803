/** rc.d/hastd as far as FreeBSD's rcorder(8) and rc.subr(8) see it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SHARE } from './stage.js';

const SUBR = fileURLToPath(new URL('../../../test/share/fakes/rc.subr', import.meta.url));
const SCRIPT = readFileSync(join(SHARE, 'freebsd/rc.d/hastd'), 'utf8');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-rc-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What the script gives to rc.subr, with these lines in rc.conf; `base` is the script of the base system. */
function run(command: string, conf: string, base = '/nonexistent'): Readonly<Record<string, string>> {
  const path = join(folder, 'hastd');
  writeFileSync(join(folder, 'rc.conf'), conf);
  writeFileSync(join(folder, 'hastctl'), '#!/bin/sh\necho "hastctl=$*"\n', { mode: 0o755 });
  const adapted = SCRIPT.replace('/etc/rc.subr', SUBR)
    .replaceAll('/etc/rc.d/hastd', base)
    .replaceAll('/usr/local/sbin/hastctl', join(folder, 'hastctl'));
  writeFileSync(path, adapted, { mode: 0o755 });
  const printed = execFileSync(path, [command], { env: { ...process.env, STAGE: folder }, encoding: 'utf8' });
  return Object.fromEntries([...printed.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
}

it('is ordered as the original', () => {
  const words = (key: string): string => new RegExp(`^# ${key}: (.*)$`, 'm').exec(SCRIPT)?.[1] ?? '';
  expect(words('PROVIDE')).toBe('hastd');
  expect(words('REQUIRE')).toBe('NETWORKING syslogd');
  expect(words('BEFORE')).toBe('DAEMON');
  expect(words('KEYWORD')).toBe('nojail shutdown');
});

it('is off by default, and knows our program by its interpreter', () => {
  expect(run('start', '')).toEqual({
    name: 'hastd',
    rcvar: 'hastd_enable',
    hastd_enable: 'NO',
    hastd_svcj: 'NO',
    hastd_flags: '',
    command: '/usr/local/sbin/hastd',
    command_interpreter: '/usr/local/bin/node',
    command_args: '',
    pidfile: '/var/run/hastd.pid',
    required_files: '/etc/hast.conf',
    required_modules: 'geom_gate:g_gate',
    extra_commands: 'reload',
    stop_precmd: 'hastd_give_up_roles',
  });
});

it('takes configuration and pidfile from rc.conf, for hastd and for hastctl', () => {
  const conf = 'hastd_enable=YES hastd_flags=-d hastd_config=/etc/other.conf hastd_pidfile=/run/h.pid';
  const given = run('stop', conf);
  expect(given).toMatchObject({
    hastd_enable: 'YES',
    hastd_flags: '-d',
    command_args: '-c /etc/other.conf -P /run/h.pid',
    pidfile: '/run/h.pid',
    required_files: '/etc/other.conf',
    hastctl: 'role -c /etc/other.conf init all',
  });
});

it('leaves the work to the script of a base system that has one', () => {
  const base = join(folder, 'base');
  writeFileSync(base, '#!/bin/sh\necho "base=$1"\n', { mode: 0o755 });
  expect(run('onestart', '', base)).toEqual({ base: 'onestart' });
  // At boot and at shutdown that one is run anyway.
  expect(run('faststop', '', base)).toEqual({});
  expect(run('quietstart', '', base)).toEqual({});
});
