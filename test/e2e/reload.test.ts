/** SIGHUP to a running daemon (core/spec/config.md section 7). */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
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

/** Sends HUP and waits for the verdict. */
async function reload(node: ClusterNode): Promise<string> {
  const from = node.log.length;
  process.kill(node.pid, 'SIGHUP');
  return node.logged(/Configuration (reloaded successfully|not reloaded)\./, from);
}

describe('reload', { timeout: 120_000 }, () => {
  it('keeps everything when the file is wrong, and says where', async () => {
    const { a, configPath } = await started();
    await a.role('primary');
    const worker = await a.listed('workerpid');
    const right = readFileSync(configPath, 'latin1');
    appendFileSync(configPath, 'resource r1 {\n  bogus\n}\n');
    expect(await reload(a)).toBe('[WARNING] Configuration not reloaded.');
    expect(a.log).toMatch(
      /\[ERROR\] Unable to parse configuration file at line \d+ near 'bogus': syntax error/,
    );
    writeFileSync(configPath, right);
    expect(await a.listed('workerpid')).toBe(worker);
  });

  it('adds and removes resources', async () => {
    const { a, configPath } = await started({ resources: ['r0', 'r1'] });
    await a.role('primary', 'r0');
    await (await a.device('r0')).disconnect();
    const whole = readFileSync(configPath, 'latin1');
    const without = whole.replace(/^resource r0 \{[^]*?^\}$/m, '');
    writeFileSync(configPath, without);
    expect(await reload(a)).toContain('reloaded successfully');
    expect(existsSync(join(a.folder, 'hast', 'r0'))).toBe(false);
    expect((await a.ok('status')).split('\n').filter((line) => line.startsWith('r'))).toHaveLength(1);
    writeFileSync(configPath, whole);
    expect(await reload(a)).toContain('reloaded successfully');
    expect(await a.listed('role', 'r0')).toBe('init');
    await a.role('primary', 'r0');
    await (await a.device('r0')).disconnect();
  });

  it('changes a primary in place where it can, else restarts it', async () => {
    const { a, b, configPath } = await started({ settings: 'timeout 20' });
    const whole = cluster;
    await b.role('secondary');
    await a.role('primary');
    await a.inSync();
    const worker = await a.listed('workerpid');
    whole?.configure('timeout 10 metaflush off');
    expect(await reload(a)).toContain('reloaded successfully');
    expect(await a.listed('workerpid')).toBe(worker);
    expect(await a.listed('status')).toBe('complete');
    writeFileSync(
      configPath,
      readFileSync(configPath, 'latin1').replace('timeout 10', 'timeout 10 name other'),
    );
    expect(await reload(a)).toContain('reloaded successfully');
    const client = await eventually('the device under its new name', async () => {
      expect(await a.listed('provname')).toBe('other');
      return connectable(join(a.folder, 'hast', 'other'));
    });
    expect(client).toBe(true);
    expect(await a.listed('workerpid')).not.toBe(worker);
    expect(await a.listed('role')).toBe('primary');
  });

  it('moves to other listen addresses and another control socket', async () => {
    const { a, configPath } = await started();
    const port = await freePort();
    const text = readFileSync(configPath, 'latin1').replace(`127.0.0.1:${a.port}\n`, `127.0.0.1:${port}\n`);
    writeFileSync(configPath, `control ${join(a.folder, 'other-ctl')}\n${text}`);
    expect(await reload(a)).toContain('reloaded successfully');
    expect(existsSync(join(a.folder, 'hastctl'))).toBe(false);
    expect(await a.listed('role')).toBe('init');
    await expect(connectable(a.port)).rejects.toThrow('ECONNREFUSED');
    expect(await connectable(port)).toBe(true);
  });
});

function connectable(where: string | number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = typeof where === 'string' ? connect(where) : connect(where, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', reject);
  });
}
