/** Who may do what on a node: workers, the control socket, directories (core/spec/integration.md section 2). */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadAddon } from '../../native/addon.js';
import { Cluster, eventually, run, runHastd } from './cluster.js';
import type { ClusterNode, Finished } from './cluster.js';

const STRANGER = fileURLToPath(new URL('stranger.js', import.meta.url));
/** Nobody's, on every system. */
const UID = '61234';

let cluster: Cluster | null = null;
const children: ChildProcess[] = [];

async function started(hastd: readonly string[] = []): Promise<Cluster> {
  cluster = await Cluster.prepare({ hastd });
  for (const folder of [cluster.folder, cluster.a.folder]) chmodSync(folder, 0o755);
  await Promise.all([cluster.a.start(), cluster.b.start()]);
  return cluster;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await cluster?.close();
  cluster = null;
});

const control = (node: ClusterNode): string => join(node.folder, 'hastctl');

/** Somebody who is neither root nor the daemon's user asks. */
function strangerAsks(
  node: ClusterNode,
  subcommand: string,
  ...operands: readonly string[]
): Promise<Finished> {
  const options = ['-c', cluster?.configPath ?? '', '--node', node.name, '--run-dir', node.folder];
  // A stranger may not write where the coverage of tests is collected, and Node would complain.
  vi.stubEnv('NODE_V8_COVERAGE', undefined);
  return run(STRANGER, [UID, 'hastctl', subcommand, ...options, ...operands]);
}

describe.skipIf(process.getuid?.() !== 0)('privileges (needs: root)', { timeout: 120_000 }, () => {
  it('are dropped by the workers of both roles', async () => {
    const { a, b } = await started(['--user', 'nobody']);
    for (const node of [a, b]) chmodSync(node.component('r0'), 0o600);
    await a.role('primary');
    await b.role('secondary');
    await a.inSync();
    for (const node of [a, b]) {
      const status = readFileSync(`/proc/${await node.listed('workerpid')}/status`, 'latin1');
      expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
      expect(status).toMatch(/^Gid:\t65534\t65534\t65534\t65534$/m);
      expect(status).toMatch(/^Groups:\t65534 $/m);
      for (const set of ['CapPrm', 'CapEff', 'CapAmb']) {
        expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'));
      }
      expect(status).toMatch(loadAddon().addon === null ? /^NoNewPrivs:\t0$/m : /^NoNewPrivs:\t1$/m);
      await node.logged(/\[INFO\] \[r0\] \((primary|secondary)\) Privileges successfully dropped\./);
    }
  });

  it('are kept by hastd, which says so once and not with every worker', async () => {
    const { a, b } = await started(['--user', 'root']);
    await b.role('secondary');
    for (let session = 0; session < 3; session++) {
      await a.role('primary');
      await a.inSync();
      await a.role('init');
      await eventually('the secondary to leave', () => b.workers().length === 0);
    }
    for (const { log } of [a, b]) expect(log.match(/Privileges/g)).toHaveLength(1);
  });

  it('are not kept because of a mistake in the name of the user', async () => {
    const folder = (await started()).folder;
    const outcome = await runHastd('-c', join(folder, 'hast.conf'), '--node', 'a', '--user', 'no-such-user');
    expect(outcome).toEqual({
      status: 78,
      stdout: '',
      stderr: '[ERROR] There is no user no-such-user (--user).\n',
    });
  });
});

describe.skipIf(process.getuid?.() !== 0)('the control socket (needs: root)', { timeout: 120_000 }, () => {
  it('is for root alone', async () => {
    const { a } = await started();
    expect(statSync(control(a)).mode & 0o777).toBe(0o600);
    const { status, stdout, stderr } = await strangerAsks(a, 'status');
    expect([status, stdout]).toEqual([71, '']);
    expect(stderr).toBe(`[ERROR] Unable to connect to hastd via ${control(a)}: Permission denied.\n`);
  });

  it.skipIf(loadAddon().addon === null)(
    'knows who asks, even when its permissions were opened (needs: the addon)',
    async () => {
      const { a } = await started();
      chmodSync(control(a), 0o666);
      for (const question of [['status'], ['role', 'primary', 'r0']]) {
        const { status, stdout, stderr } = await strangerAsks(a, ...(question as [string]));
        expect([status, stdout]).toEqual([70, '']);
        expect(stderr).toBe(
          '[ERROR] Error 13 received from hastd: only root and the user of hastd may command it.\n',
        );
      }
      await a.logged(
        `[WARNING] Control connection of user ${UID} refused: only root and our own user may command.`,
      );
      expect(await a.listed('role')).toBe('init');
    },
  );

  it.skipIf(loadAddon().addon === null)(
    'cannot be blocked by those who may not command (needs: the addon)',
    async () => {
      const { a } = await started();
      chmodSync(control(a), 0o666);
      const stranger = spawn(process.execPath, [STRANGER, UID, 'hold', control(a), '300']);
      children.push(stranger);
      let said = '';
      stranger.stdout.on('data', (text: Buffer) => (said += text.toString('latin1')));
      await eventually('connections', () => said.includes('connected'));
      await a.role('primary');
      expect(await a.listed('role')).toBe('primary');
      expect(a.log.match(/Control connection of user/g)).toHaveLength(1);
    },
  );

  it('is protected by its permissions alone without the addon, and hastd says so', async () => {
    vi.stubEnv('HAST_NO_ADDON', '1');
    const { a } = await started();
    await a.logged(
      /^\[INFO\] Running without the addon \(.*\): only its permissions protect the control socket\./,
    );
    expect((await strangerAsks(a, 'status')).status).toBe(71);
    chmodSync(control(a), 0o666);
    expect((await strangerAsks(a, 'status')).status).toBe(0);
  });
});

describe('the run directory', { timeout: 120_000 }, () => {
  it('is made, and only for its owner and group', async () => {
    cluster = await Cluster.prepare();
    const { a } = cluster;
    const runDir = join(cluster.folder, 'new', 'run');
    await a.start('--run-dir', runDir);
    expect(statSync(runDir).mode & 0o777 & ~0o750).toBe(0);
    expect(existsSync(join(runDir, 'hastctl'))).toBe(true);
  });

  it('that everybody may write to is refused', async () => {
    cluster = await Cluster.prepare();
    const { a, configPath } = cluster;
    chmodSync(a.folder, 0o777);
    const outcome = await runHastd('-c', configPath, '--node', 'a', '--run-dir', a.folder);
    const text = `Unable to use run directory ${a.folder}: everybody may replace files in it (chmod o-w).`;
    expect(outcome).toEqual({ status: 71, stdout: '', stderr: `[ERROR] ${text}\n` });
    rmSync(a.folder, { recursive: true });
  });
});
