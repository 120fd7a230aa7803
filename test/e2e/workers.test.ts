/** Worker processes of a running daemon (core/spec/cli.md sections 10 and 11). */
import { execFileSync } from 'node:child_process';
import { existsSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { connectNbd } from '../../native/nbd/client.js';
import { Cluster, eventually, freePort } from './cluster.js';
import type { ClusterNode } from './cluster.js';

let cluster: Cluster | null = null;

async function started(options: Parameters<typeof Cluster.start>[0] = {}): Promise<Cluster> {
  cluster = await Cluster.start(options);
  return cluster;
}

afterEach(async () => {
  await cluster?.close();
  cluster = null;
});

async function workerPid(node: ClusterNode): Promise<number> {
  return eventually('a worker', async () => Number(await node.listed('workerpid')));
}

/** 4096 times `value`. */
function block(value: number): Uint8Array {
  return new Uint8Array(4096).fill(value);
}

/** Which processes `pgrep -f` finds, as failover scripts do. */
function pgrep(pattern: string): number[] {
  try {
    return execFileSync('pgrep', ['-f', pattern], { encoding: 'latin1' })
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  } catch {
    return [];
  }
}

describe('workers', { timeout: 120_000 }, () => {
  it('are found by their titles as long as they live', async () => {
    const name = `res-${process.pid}`;
    const { a, b } = await started({ resources: [name] });
    await b.role('secondary', name);
    expect(pgrep(`hastd: ${name} \\(secondary\\)`)).toEqual([]);
    await a.role('primary', name);
    await a.inSync(name);
    expect(pgrep(`hastd: ${name} \\(primary\\)$`)).toEqual([Number(await a.listed('workerpid', name))]);
    expect(pgrep(`hastd: ${name} \\(secondary\\)$`)).toEqual([Number(await b.listed('workerpid', name))]);
    await a.role('init', name);
    expect(pgrep(`hastd: ${name} \\(primary\\)`)).toEqual([]);
    await eventually('the secondary to leave', () => pgrep(`hastd: ${name} \\(secondary\\)`).length === 0);
  });

  it('never open the inspector', async () => {
    const { a } = await started();
    await a.role('primary');
    const worker = await workerPid(a);
    process.kill(a.pid, 'SIGUSR1');
    process.kill(worker, 'SIGUSR1');
    expect(await a.listed('role')).toBe('primary');
    expect(await a.stop()).toBe(0);
    expect(a.log).not.toContain('Debugger');
  });

  it('that are killed are restarted, and a client that connects again goes on', async () => {
    const { a, b } = await started();
    await a.role('primary');
    await b.role('secondary');
    await a.inSync();
    const before = await a.device();
    await before.write(0, block(1));
    const worker = await workerPid(a);
    process.kill(worker, 'SIGKILL');
    await a.logged(`[ERROR] [r0] (primary) Worker process killed (pid=${worker}, signal=9).`);
    // The listening socket is the main daemon's: from now on a client waits instead of being refused.
    const after = await connectNbd({ path: join(a.folder, 'hast', 'r0') });
    expect(await after.read(0, 4096)).toEqual(block(1));
    await after.write(4096, block(2));
    await after.flush();
    expect(await workerPid(a)).not.toBe(worker);
    await a.inSync();
    await after.disconnect();
    expect(a.log).toContain('Restarting worker process.');
    const devices = [...a.log.matchAll(/\(primary\) (Device hast\/r0 \w+\.)/g)].map(([, text]) => text);
    expect(devices).toEqual(['Device hast/r0 created.', 'Device hast/r0 recovered.']);
  });

  it('that die under load lose nothing that was acknowledged', async () => {
    const { a, b } = await started();
    await a.role('primary');
    await b.role('secondary');
    await a.inSync();
    const acknowledged = new Map<number, number>();
    let client = await a.device();
    for (let round = 0; round < 3; round++) {
      const killed = eventually('acknowledged writes', () => acknowledged.size > 40 * (round + 1)).then(
        async () => {
          process.kill(await workerPid(a), 'SIGKILL');
        },
      );
      await writeUntilLost(client, acknowledged);
      await killed;
      client = await a.device();
    }
    for (const [number, value] of acknowledged) {
      expect(await client.read(number * 4096, 4096)).toEqual(block(value));
    }
    await client.disconnect();
    await a.inSync();
  });

  it('make a primary fall back to init when its component is missing', async () => {
    const { a } = await started();
    unlinkSync(a.component('r0'));
    await a.role('primary');
    const text = `[ERROR] [r0] (primary) Unable to open ${a.component('r0')}: No such file or directory.`;
    await a.logged(text);
    await a.logged(/Worker process exited ungracefully \(pid=\d+, exitcode=66\)\./);
    await a.logged('Changing resource role back to init.');
    expect(await a.listed('role')).toBe('init');
  });

  it('refuse a component that somebody else uses', async () => {
    const { a } = await started();
    await a.role('primary');
    await (await a.device()).disconnect();
    const { status, stderr } = await a.hastctl('create', 'r0');
    expect(status).not.toBe(0);
    expect(stderr).toContain(a.component('r0'));
  });

  it('end when the main daemon is gone', async () => {
    const { a } = await started();
    await a.role('primary');
    const worker = await workerPid(a);
    await a.signal('SIGKILL');
    await eventually('the worker to end', () => !existsSync(`/proc/${worker}`));
    await a.logged(/\(primary\) Unable to receive control message: Socket is not connected\./);
    await a.start();
    await a.role('primary');
    await (await a.device()).disconnect();
  });

  it('offer their devices over TCP when asked to, and not otherwise', async () => {
    const port = await freePort();
    const { a } = await started({ resources: ['r0', 'r1'], hastd: ['--nbd', `127.0.0.1:${port}`] });
    await a.role('primary', 'r1');
    const client = await eventually('the device', () => connectNbd({ host: '127.0.0.1', port: port + 1 }));
    await client.write(0, block(3));
    expect(await client.read(0, 4096)).toEqual(block(3));
    await client.disconnect();
    await expect(connectNbd({ host: '127.0.0.1', port })).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(join(a.folder, 'hast'))).toBe(false);
  });

  it('leave nothing behind when the daemon stops', async () => {
    const { a, b } = await started();
    await a.role('primary');
    await b.role('secondary');
    await a.inSync();
    const workers = [...a.workers(), ...b.workers()];
    expect(workers).toHaveLength(2);
    expect(await a.stop()).toBe(0);
    expect(await b.stop()).toBe(0);
    expect(workers.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(join(a.folder, 'hast', 'r0'))).toBe(false);
    expect(existsSync(join(a.folder, 'hastctl'))).toBe(false);
  });

  it('do not keep a daemon from serving others while a client says nothing', async () => {
    const { a } = await started();
    const silent = connect(join(a.folder, 'hastctl'));
    const silentPeer = connect(a.port, '127.0.0.1');
    expect(await a.listed('role')).toBe('init');
    silent.destroy();
    silentPeer.destroy();
  });
});

/** Writes block after block, each acknowledged before the next, until the connection is lost. */
async function writeUntilLost(
  client: Awaited<ReturnType<ClusterNode['device']>>,
  acknowledged: Map<number, number>,
): Promise<void> {
  for (;;) {
    const number = acknowledged.size;
    const value = 1 + (number % 251);
    try {
      await client.write(number * 4096, block(value));
    } catch {
      return;
    }
    acknowledged.set(number, value);
  }
}
