/** An installation works without the project, can be repeated, upgraded and removed, and touches nothing else. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installSystem } from '../../cli/install-system/main.js';

let folder: string;
let prefix: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-install-'));
  prefix = join(folder, 'usr/local');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function run(...argv: readonly string[]): { status: number; stdout: string; stderr: string } {
  const printed = { stdout: '', stderr: '' };
  const status = installSystem(argv, {
    stdout: { write: (text) => (printed.stdout += text) },
    stderr: { write: (text) => (printed.stderr += text) },
  });
  return { status, ...printed };
}

function install(...more: readonly string[]): string {
  const { status, stdout, stderr } = run('--prefix', prefix, '--os', 'linux', ...more);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** Everything below a folder, relative. */
function tree(below: string): string[] {
  return readdirSync(below, { recursive: true, encoding: 'utf8' }).sort();
}

function outsideHome(): string[] {
  const paths = tree(prefix).filter((path) => !path.startsWith('lib/hast/'));
  return paths.filter((path) => !lstatSync(join(prefix, path)).isDirectory());
}

function program(name: string, ...args: readonly string[]): string {
  // Nothing of the project is near.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  return execFileSync(join(prefix, name), args, { cwd: folder, env, encoding: 'latin1' });
}

describe('the installed programs', () => {
  it('hastctl creates and dumps, hastd runs, in a place of their own', () => {
    install();
    const conf = join(folder, 'hast.conf');
    const component = join(folder, 'disk');
    writeFileSync(component, '');
    truncateSync(component, 8 << 20);
    const node = `on n {\n local ${component}\n remote tcp4://127.0.0.1:1\n }\n`;
    writeFileSync(conf, `on n {\n listen uds://${folder}/listen\n}\nresource r0 {\n ${node}}\n`);
    const common = ['-c', conf, '--node', 'n', '--run-dir', folder];
    program('sbin/hastctl', 'create', ...common, 'r0');
    expect(program('sbin/hastctl', 'dump', ...common, 'r0')).toContain('resource: r0');
    program('sbin/hastd', ...common);
    try {
      const pid = readFileSync(join(folder, 'hastd.pid'), 'latin1');
      const shown = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      // What rc.subr compares with the first line of the program.
      expect(shown.slice(0, 2)).toEqual([process.execPath, join(prefix, 'sbin/hastd')]);
      program('sbin/hastctl', 'role', ...common, 'primary', 'r0');
      expect(program('sbin/hastctl', 'status', ...common)).toMatch(/^r0\tdegraded primary/m);
    } finally {
      program('sbin/hastctl', 'stop', ...common);
    }
  });

  it('hastsim simulates', () => {
    install();
    expect(program('bin/hastsim', 'fuzz', '--seeds', '2', '--no-corpus')).toContain('0 failures');
  });

  it('the scripts find each other and hastctl', () => {
    install();
    const settings = join(folder, 'settings');
    writeFileSync(settings, `echo "$hastctl"; exit 9\n`);
    let printed = '';
    try {
      program('sbin/hast-failover', '-c', settings, 'primary');
    } catch (error) {
      printed = (error as { stdout: string }).stdout;
    }
    expect(printed).toBe(`${realpathSync(prefix)}/sbin/hastctl\n`);
  });
});

describe('what is installed', () => {
  it('on Linux', () => {
    expect(install()).toContain('systemctl enable --now hastd');
    const expected = [
      'bin/hastsim',
      'lib/ocf/resource.d/hast/hast',
      'lib/systemd/system/hastd.service',
      'lib/systemd/system/ucarp-hast.service',
      'lib/sysusers.d/hast.conf',
      'sbin/hast-failover',
      'sbin/hastctl',
      'sbin/hastd',
      'sbin/ucarp-hast',
    ];
    expect(outsideHome().filter((path) => !path.startsWith('share/man/'))).toEqual(expected);
    for (const path of expected.filter((name) => /bin|ocf/.test(name))) {
      expect(statSync(join(prefix, path)).mode & 0o777, path).toBe(0o755);
    }
    const unit = readFileSync(join(prefix, 'lib/systemd/system/hastd.service'), 'utf8');
    expect(unit).toContain(`ExecStart=${prefix}/sbin/hastd `);
    expect(unit).not.toMatch(/(?<!tmp.*)\/usr\/local\/sbin/);
  });

  it('on FreeBSD, where devd is told nothing by itself', () => {
    const { status, stdout } = run('--prefix', prefix, '--os', 'freebsd');
    expect(status).toBe(0);
    expect(stdout).toContain('sysrc hastd_enable=YES');
    expect(outsideHome().filter((path) => !path.startsWith('share/man/'))).toEqual([
      'bin/hastsim',
      'etc/rc.conf.d/hastd',
      'etc/rc.d/hastd',
      'sbin/carp-hast-switch',
      'sbin/hast-failover',
      'sbin/hastctl',
      'sbin/hastd',
      'sbin/ucarp-hast',
      'share/examples/hast/carp-hast.conf',
    ]);
    const rc = readFileSync(join(prefix, 'etc/rc.d/hastd'), 'utf8');
    expect(rc).toContain(`command_interpreter=${process.execPath}\n`);
    expect(rc).toContain(`hastd_program:=${prefix}/sbin/hastd}`);
  });

  it('with --destdir everything is below it, and refers to the prefix', () => {
    const root = join(folder, 'package');
    prefix = '/opt/hast';
    install('--destdir', root);
    expect(existsSync(join(root, 'opt/hast/sbin/hastd'))).toBe(true);
    expect(readFileSync(join(root, 'opt/hast/sbin/hastd'), 'utf8')).toBe(
      `#!${process.execPath}\nimport("/opt/hast/lib/hast/dist/cli/hastd.js");\n`,
    );
  });

  it('has no sources, no tests, and nothing of the demo', () => {
    install();
    const strange = tree(prefix).filter((path) => /\.ts$|\.map$|(^|\/)test\/|cli\/(demo|install)/.test(path));
    expect(strange).toEqual([]);
  });
});

describe('once more', () => {
  it('a second time changes nothing', () => {
    install();
    const before = tree(prefix);
    expect(install()).toMatch(/: 0 written, \d+ unchanged, 0 removed\./);
    expect(tree(prefix)).toEqual(before);
  });

  it('an upgrade replaces what has changed and removes what is no more', () => {
    install();
    const list = join(prefix, 'lib/hast/installed');
    writeFileSync(join(prefix, 'lib/hast/old.js'), 'of an earlier version');
    writeFileSync(list, `lib/hast/old.js\n${readFileSync(list, 'utf8')}`);
    writeFileSync(join(prefix, 'sbin/hastctl'), 'of an earlier version');
    expect(install()).toMatch(/: 1 written, \d+ unchanged, 1 removed\./);
    expect(existsSync(join(prefix, 'lib/hast/old.js'))).toBe(false);
  });

  it('removes what it installed and nothing else', () => {
    mkdirSync(join(prefix, 'sbin'), { recursive: true });
    writeFileSync(join(prefix, 'sbin/other'), 'of somebody else');
    install();
    const { status, stdout } = run('--prefix', prefix, '--uninstall');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Removed \d+ files from /)]);
    expect(tree(prefix)).toEqual(['sbin', 'sbin/other']);
  });
});

describe('what it refuses', () => {
  it('to overwrite what belongs to something else', () => {
    mkdirSync(join(prefix, 'sbin'), { recursive: true });
    writeFileSync(join(prefix, 'sbin/hastctl'), 'of somebody else');
    const { status, stderr } = run('--prefix', prefix, '--os', 'linux');
    expect(status).toBe(78);
    expect(stderr).toContain(`these files belong to something else: ${prefix}/sbin/hastctl.`);
    expect(tree(prefix)).toEqual(['sbin', 'sbin/hastctl']);
  });

  it.each([
    [[], 64, "required option '--prefix <dir>' not specified"],
    [['--prefix', 'here'], 64, '--prefix here: expected an absolute path'],
    [['--prefix', '/tmp/x', '--os', 'plan9'], 64, 'Allowed choices are linux, freebsd'],
    [['--prefix', '/nonexistent/x', '--uninstall'], 66, 'nothing is installed in /nonexistent/x'],
    [['--prefix', '/dev/null/x', '--os', 'linux'], 74, 'ENOTDIR'],
  ])('%j', (argv, expected, text) => {
    const { status, stderr } = run(...argv);
    expect(stderr).toContain(text);
    expect(status).toBe(expected);
  });
});
