/**
 * The scripts and services of cli/share as the tools of their systems see them, and with real daemons: shellcheck,
 * systemd-analyze, ocf-tester; an ext4 that moves between two nodes and back.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseMetadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { installSystem } from '../../cli/install-system/main.js';
import { Cluster, eventually } from '../e2e/cluster.js';
import type { ClusterNode } from '../e2e/cluster.js';
import { canRun, ended, output } from './nbd-clients-tools.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const SHARE = join(PROJECT, 'cli/share');
const HASTCTL = join(PROJECT, 'dist/cli/hastctl.js');
const HASTD = join(PROJECT, 'dist/cli/hastd.js');
const UNIT = join(SHARE, 'linux/hastd.service');

const MIB = 1 << 20;
const DEVICES = ['/dev/fuse', '/dev/loop-control'];

function shellScripts(): string[] {
  return [SHARE, join(PROJECT, 'test/share/fakes')].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .filter((path) => /^#(!\/bin\/sh\n| shellcheck shell=sh)/.test(readFileSync(path, 'utf8'))),
  );
}

describe.runIf(canRun('the scripts', ['shellcheck']))('shellcheck', () => {
  it('has nothing to say about any script', async () => {
    const scripts = shellScripts();
    expect(scripts.length).toBeGreaterThanOrEqual(10);
    expect(await output('shellcheck', '--external-sources', `--source-path=${PROJECT}`, ...scripts)).toBe('');
  });

  it('has nothing to say about the sample of settings with every line in use', async () => {
    const sample = readFileSync(join(SHARE, 'failover/hast-failover.conf.sample'), 'utf8');
    const folder = mkdtempSync(join(tmpdir(), 'hast-sample-'));
    const path = join(folder, 'settings');
    writeFileSync(path, sample.replace(/^#(?=[a-z_]+(=|\(\)))/gm, ''));
    expect(await output('shellcheck', '--shell=sh', '--exclude=SC2034,SC2317', path)).toBe('');
    rmSync(folder, { recursive: true });
  });
});

/** Where everything is installed for these tests; everybody may read it. */
let prefix: string;

beforeAll(() => {
  prefix = mkdtempSync(join(tmpdir(), 'hast-installed-'));
  chmodSync(prefix, 0o755);
  const silent = { write: () => true };
  expect(installSystem(['--prefix', prefix, '--os', 'linux'], { stdout: silent, stderr: silent })).toBe(0);
});

afterAll(() => {
  rmSync(prefix, { recursive: true });
});

describe.runIf(canRun('the units of systemd', ['systemd-analyze', 'systemd-sysusers']))('systemd', () => {
  const units = (): string[] =>
    ['hastd', 'ucarp-hast'].map((name) => join(prefix, `lib/systemd/system/${name}.service`));

  it('finds no mistake in the units', async () => {
    expect(await said('systemd-analyze', ['verify', '--man=no', ...units()])).toEqual({
      status: 0,
      text: '',
    });
  });

  it('hastd is exposed to little', async () => {
    await output('systemd-analyze', 'security', '--offline=yes', '--threshold=30', ...units().slice(0, 1));
  });

  it('knows the user of workers', async () => {
    const root = join(prefix, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    await output('systemd-sysusers', `--root=${root}`, join(prefix, 'lib/sysusers.d/hast.conf'));
    expect(readFileSync(join(root, 'etc/passwd'), 'latin1')).toMatch(
      /^hast:x:\d+:\d+:HAST workers:\/var\/empty:/m,
    );
  });
});

/** What the metadata of a component says; asking hastctl would take longer than to copy what is missing. */
function isIncomplete(node: ClusterNode): boolean {
  const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());
  const metadata = parseMetadata(node.data('r0', 0).subarray(0, METADATA_BYTES), codecs);
  return 'incomplete' in metadata && metadata.incomplete;
}

/** Status and everything that a program printed. */
function said(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{
  readonly status: number | null;
  readonly text: string;
}> {
  const options = { env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, ...env } };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ status, text: `${stdout}${stderr}` });
    });
  });
}

const programs = [
  'nbdfuse',
  'fusermount3',
  'losetup',
  'mkfs.ext4',
  'fsck.ext4',
  'mount',
  'umount',
  'fuser',
  'flock',
  'findmnt',
  'unshare',
];

describe('with real daemons', () => {
  let cluster: Cluster;

  beforeEach(async () => {
    cluster = await Cluster.start({ mediaSize: 32 << 20, settings: 'timeout 5' });
  });

  afterEach(async () => {
    for (const node of [cluster.a, cluster.b]) {
      // Tests may have failed anywhere: nothing of the kernel's may be left.
      if (existsSync(settingsOf(node))) await failover(node, 'secondary', 'hastd_timeout=0');
      if (existsSync(join(node.folder, 'failover/ocf-r0'))) await act(node, 'stop');
    }
    await cluster.close();
  });

  function settingsOf(node: ClusterNode): string {
    return join(node.folder, 'settings');
  }

  /** Settings for a node, with devices and mounts of its own. */
  function writeSettings(node: ClusterNode, ...more: readonly string[]): string {
    const lines = [
      `hastctl=${join(node.folder, 'hastctl.sh')}`,
      `hastctl_flags='-c ${cluster.configPath} --node ${node.name} --run-dir ${node.folder}'`,
      `run_dir=${node.folder}`,
      `state_dir=${join(node.folder, 'failover')}`,
      `device_dir=${join(node.folder, 'dev')}`,
      `mount_dir=${join(node.folder, 'mnt')}`,
      'resources=r0',
      'attach=nbdfuse',
      ...more,
    ];
    writeFileSync(join(node.folder, 'hastctl.sh'), `#!/bin/sh\nexec ${process.execPath} ${HASTCTL} "$@"\n`, {
      mode: 0o755,
    });
    writeFileSync(settingsOf(node), lines.map((line) => `${line}\n`).join(''));
    return settingsOf(node);
  }

  function failover(
    node: ClusterNode,
    role: 'primary' | 'secondary',
    ...settings: readonly string[]
  ): Promise<{ readonly status: number | null; readonly text: string }> {
    writeSettings(node, ...settings);
    return said(join(SHARE, 'failover/hast-failover'), ['-c', settingsOf(node), role]);
  }

  async function expectDone(
    node: ClusterNode,
    role: 'primary' | 'secondary',
    ...settings: readonly string[]
  ): Promise<string> {
    const { status, text } = await failover(node, role, ...settings);
    expect(status, text).toBe(0);
    return text;
  }

  function mountPoint(node: ClusterNode): string {
    return join(node.folder, 'mnt/r0');
  }

  function isMounted(node: ClusterNode): boolean {
    return readFileSync('/proc/mounts', 'latin1').includes(` ${mountPoint(node)} `);
  }

  const agent = (): string => join(prefix, 'lib/ocf/resource.d/hast/hast');

  /** An action of the agent: its exit status, and the scores it has told Pacemaker. */
  async function act(
    node: ClusterNode,
    action: string,
  ): Promise<{ status: number | null; scores: string[]; text: string }> {
    const bin = join(node.folder, 'crm');
    const log = join(bin, 'scores');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'crm_attribute'), `#!/bin/sh\necho "$*" >>${log}\n`, { mode: 0o755 });
    writeFileSync(log, '');
    const settings = writeSettings(node, 'peer_timeout=1');
    const { status, text } = await said(agent(), [action], {
      OCF_ROOT: '/usr/lib/ocf',
      OCF_RESOURCE_INSTANCE: 'r0',
      OCF_RESKEY_resource: 'r0',
      OCF_RESKEY_settings: settings,
      OCF_RESKEY_crm_feature_set: '3.16.2',
      HA_SBIN_DIR: bin,
    });
    const scores = readFileSync(log, 'latin1')
      .split('\n')
      .filter((line) => line !== '');
    return { status, scores, text };
  }

  describe.runIf(canRun('hast-failover and the daemons', programs, DEVICES))('hast-failover', () => {
    /** `a` serves an ext4; `b` stands by, in sync. */
    async function serveFromA(): Promise<void> {
      const { a, b } = cluster;
      await expectDone(b, 'secondary');
      await expectDone(a, 'primary', 'fstype=none');
      await output('mkfs.ext4', '-q', join(a.folder, 'dev/r0'));
      await expectDone(a, 'primary');
      await a.inSync();
    }

    it('moves a file system to the other node when one dies, and back again', async () => {
      const { a, b } = cluster;
      await serveFromA();
      writeFileSync(join(mountPoint(a), 'one'), 'written on a');
      await output('sync', '-f', mountPoint(a));
      await a.kill();

      const text = await expectDone(b, 'primary');
      expect(text).toContain('r0: mounted on');
      expect(readFileSync(join(mountPoint(b), 'one'), 'latin1')).toBe('written on a');
      writeFileSync(join(mountPoint(b), 'two'), 'written on b');
      // Asking again changes nothing.
      expect(await expectDone(b, 'primary')).not.toContain('mounted on');

      // What is left of the dead node goes; then it comes back and is brought up to date.
      expect((await failover(a, 'secondary', 'hastd_timeout=0')).status).toBe(1);
      expect(isMounted(a)).toBe(false);
      await a.start();
      await expectDone(a, 'secondary');
      await b.inSync();
      await expectDone(b, 'secondary');
      expect(isMounted(b)).toBe(false);
      await expectDone(a, 'primary');
      expect(readFileSync(join(mountPoint(a), 'two'), 'latin1')).toBe('written on b');
    });

    it('loses nothing when another mount namespace still has the file system', async () => {
      const { a, b } = cluster;
      await serveFromA();
      const holder = spawn('unshare', ['--mount', 'sleep', '600'], { stdio: 'ignore' });
      try {
        const mounts = `/proc/${String(holder.pid)}/mounts`;
        await eventually(
          'its namespace',
          () => readlinkSync(`/proc/${String(holder.pid)}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt'),
        );
        expect(readFileSync(mounts, 'latin1')).toContain(` ${mountPoint(a)} `);
        writeFileSync(join(mountPoint(a), 'late'), 'written just before');
        await expectDone(a, 'secondary');
        await expectDone(b, 'primary');
        expect(readFileSync(join(mountPoint(b), 'late'), 'latin1')).toBe('written just before');
      } finally {
        holder.kill();
        await ended(holder);
      }
    });

    it('does not promote while the primary lives', async () => {
      const { a, b } = cluster;
      await serveFromA();
      const { status, text } = await failover(b, 'primary', 'peer_timeout=1');
      expect(status, text).toBe(69);
      expect(text).toContain('refused: another node is primary and connected');
      expect(await a.listed('status')).toBe('complete');
      expect(await b.listed('role')).toBe('secondary');
    });

    it('does not promote a copy that is incomplete', async () => {
      const { a, b } = cluster;
      await b.role('secondary');
      await a.role('primary');
      await a.inSync();
      await b.kill();
      const device = await a.device();
      for (let at = 0; at < 24; at++) await device.write(at * MIB, new Uint8Array(MIB).fill(at + 1));
      await device.disconnect();

      await b.start();
      await b.role('secondary');
      const worker = await eventually('b to be copied to', () => (isIncomplete(b) ? b.workers()[0] : 0));
      process.kill(worker, 'SIGSTOP');
      await a.kill();
      process.kill(worker, 'SIGCONT');
      await eventually('b to be alone', () => b.workers().length === 0);
      const { status, text } = await failover(b, 'primary');
      expect(status, text).toBe(69);
      expect(text).toContain('Local copy is incomplete');
      expect(await b.listed('role')).toBe('secondary');
    });

    it('unmounts a file system that somebody uses', async () => {
      const { a } = cluster;
      await serveFromA();
      // Goes with the last user: mount(8) now shows the file behind it.
      await output('losetup', '--detach', readlinkSync(join(a.folder, 'dev/r0')));
      const user = execFile('sh', ['-c', 'exec 3>busy; exec sleep 600'], { cwd: mountPoint(a) });
      await eventually('it to be busy', () => existsSync(join(mountPoint(a), 'busy')));
      const ended = new Promise((resolve) =>
        user.once('exit', (_, signal) => {
          resolve(signal);
        }),
      );
      await expectDone(a, 'secondary');
      expect(await ended).toBe('SIGKILL');
      expect(isMounted(a)).toBe(false);
    });
  });

  describe.runIf(canRun('the agent for Pacemaker', ['ocf-tester', 'xmllint', ...programs], DEVICES))(
    'the OCF agent',
    () => {
      it('satisfies ocf-tester', async () => {
        const { a, b } = cluster;
        await b.role('secondary');
        const settings = writeSettings(a);
        const printed = await output(
          'ocf-tester',
          '-n',
          'r0',
          '-o',
          'resource=r0',
          '-o',
          `settings=${settings}`,
          agent(),
        );
        expect(printed).toContain('passed all tests');
        expect(await a.listed('role')).toBe('init');
      });

      it('tells Pacemaker scores that follow from the real state', async () => {
        const { a, b } = cluster;
        expect(await act(a, 'monitor')).toMatchObject({ status: 7, scores: [] });
        expect(await act(a, 'start')).toMatchObject({ status: 0, scores: ['-p -v 100'] });
        expect(await act(b, 'start')).toMatchObject({ status: 0, scores: ['-p -v 100'] });
        expect(await act(a, 'promote')).toMatchObject({ status: 0, scores: ['-p -v 10000'] });
        expect(await act(a, 'monitor')).toMatchObject({ status: 8, scores: ['-p -v 10000'] });
        await a.inSync();
        expect(await act(b, 'monitor')).toMatchObject({ status: 0, scores: ['-p -v 1000'] });
        expect((await act(b, 'promote')).text).toContain('refused: another node is primary');

        // `b` dies, `a` writes alone: whose data is newer can be seen on `a` afterwards.
        await b.kill();
        await eventually('a to notice', async () => (await a.listed('status')) === 'degraded');
        const device = await a.device();
        await device.write(0, new Uint8Array(4096).fill(7));
        await device.disconnect();
        expect(await act(a, 'demote')).toMatchObject({ status: 0, scores: ['-p -v 500'] });
        expect(await act(a, 'monitor')).toMatchObject({ status: 0, scores: ['-p -v 500'] });
        expect(await act(a, 'stop')).toMatchObject({ status: 0, scores: ['-p -D'] });
        expect(await act(a, 'monitor')).toMatchObject({ status: 7, scores: [] });
      });

      it('reports a primary that lost its device as failed', async () => {
        const { a } = cluster;
        await act(a, 'start');
        await act(a, 'promote');
        const link = join(a.folder, 'dev/r0');
        await output('losetup', '--detach', readlinkSync(link));
        rmSync(link);
        expect((await act(a, 'monitor')).status).toBe(9);
        expect((await act(a, 'promote')).status).toBe(0);
        expect((await act(a, 'monitor')).status).toBe(8);
        expect((await act(a, 'stop')).status).toBe(0);
      });

      it('is not running where hastd is not', async () => {
        await cluster.a.kill();
        expect((await act(cluster.a, 'monitor')).status).toBe(7);
        expect((await act(cluster.a, 'stop')).status).toBe(0);
      });
    },
  );

  describe.runIf(canRun('hastd without most of its powers', ['setpriv']))(
    'the capabilities of the unit',
    () => {
      it('are enough for hastd, whose workers become another user and can be stopped', async () => {
        const { a, b } = cluster;
        const kept = /^CapabilityBoundingSet=(.*)$/m.exec(readFileSync(UNIT, 'utf8'))?.[1] ?? '';
        const set = kept.split(' ').map((name) => name.replace('CAP_', '+').toLowerCase());
        await a.stop();
        const options = ['-c', cluster.configPath, '--node', 'a', '--run-dir', a.folder, '--user', 'nobody'];
        await output(
          'setpriv',
          `--bounding-set=-all,${set.join(',')}`,
          '--no-new-privs',
          process.execPath,
          HASTD,
          ...options,
        );
        await b.role('secondary');
        await a.role('primary');
        await a.inSync();
        const pid = await a.listed('workerpid');
        expect(statSync(`/proc/${pid}`).uid).not.toBe(0);
        await a.role('secondary');
        expect(existsSync(`/proc/${pid}`)).toBe(false);
        await a.ok('stop');
      });
    },
  );
});
