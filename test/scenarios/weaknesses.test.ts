/**
 * Weaknesses of the reference that random stories seldom or never meet (core/spec/replication.md section 15), each as the
 * shortest history in which the reference goes wrong.
 */
import { describe, expect, it } from 'vitest';
import type { ReplicationMode } from '../../core/config/types.js';
import { Cluster, DATA_OFFSET } from './cluster.js';
import type { SimNode } from '../../sim/node.js';

const EXTENT_BYTES = 8192;
const EXTENTS = 32;
const SECTORS_PER_EXTENT = EXTENT_BYTES / 512;
const TIMEOUT_S = 5;

/** A pair in sync, `a` is primary. */
function pair(replication: ReplicationMode = 'fullsync'): Cluster {
  const cluster = new Cluster(1, {
    datasize: EXTENTS * EXTENT_BYTES,
    extentsize: EXTENT_BYTES,
    maxRequestBytes: 4096,
    keepdirty: [2, 2],
    resource: { replication, timeout: TIMEOUT_S },
  });
  cluster.boot();
  cluster.b.setRole('secondary');
  cluster.wait(100);
  cluster.a.setRole('primary');
  expect(cluster.reachSync()).toBe(true);
  cluster.application.write(0, 8);
  cluster.wait(1_000);
  expect(cluster.reachSync()).toBe(true);
  return cluster;
}

function writeEverywhere(cluster: Cluster): void {
  for (let extent = 0; extent < EXTENTS; extent++) {
    cluster.application.write(extent * SECTORS_PER_EXTENT, SECTORS_PER_EXTENT);
  }
  cluster.wait(2_000);
}

/** `a` died, `b` was promoted and wrote, `a` is primary again: everything has to come from `b`. */
function outOfDate(cluster: Cluster): void {
  cluster.a.killAll();
  cluster.until(() => !cluster.b.hasWorker);
  cluster.b.setRole('primary');
  cluster.primary = cluster.b;
  cluster.until(() => cluster.application.device !== null);
  writeEverywhere(cluster);
  cluster.b.setRole('secondary');
  cluster.until(() => !cluster.b.hasWorker);
  cluster.start(cluster.a, 'primary');
  cluster.primary = cluster.a;
}

function said(node: SimNode, text: string): number {
  return node.lines.filter((line) => line.text.includes(text)).length;
}

/** Equal copies, nothing lost, nobody spoke of split-brain. */
function expectGoodEnd(cluster: Cluster): void {
  expect(cluster.reachSync(), 'the nodes agree').toBe(true);
  cluster.wait(10_000);
  expect(cluster.difference()).toBe(-1);
  cluster.application.checkImage(cluster.primary.userData(), cluster.primary.name);
  expect(cluster.application.violations).toEqual([]);
  const hooks = [...cluster.a.hooks, ...cluster.b.hooks];
  expect(hooks.filter((hook) => /split-brain|mismatch/.test(hook))).toEqual([]);
}

describe('writes', () => {
  /** In an extent that nothing else has touched, so that nothing else can have marked it. */
  const LONELY_SECTOR = 10 * SECTORS_PER_EXTENT;

  it.each(['fullsync', 'memsync', 'async'] as const)(
    'W1: a write that the secondary could not carry out is copied again, %s',
    (mode) => {
      const cluster = pair(mode);
      const at = { offset: DATA_OFFSET + LONELY_SECTOR * 512, length: 512 };
      cluster.inject(cluster.b, { operation: 'write', code: 'EIO', times: 'once', ...at });
      cluster.application.write(LONELY_SECTOR, 1);
      cluster.wait(5_000);
      expect(cluster.application.failed).toBe(0);
      expect(cluster.difference()).toBe(LONELY_SECTOR);
      expectGoodEnd(cluster);
    },
  );

  it.each(['fullsync', 'memsync', 'async'] as const)(
    'W1, W4: a write into a connection that is dead is copied again, %s',
    (mode) => {
      const cluster = pair(mode);
      cluster.cut();
      cluster.b.killAll();
      cluster.application.write(LONELY_SECTOR, 1);
      cluster.wait(30_000);
      expect(cluster.application.outstanding).toBe(0);
      expect(cluster.a.metadata().localcnt, 'the counters tell').toBe(cluster.b.metadata().remotecnt + 1n);
      cluster.healLinks();
      cluster.start(cluster.b, 'secondary');
      expectGoodEnd(cluster);
    },
  );

  it('W14: without its dirty bit on the disk nothing is written anywhere', () => {
    const cluster = pair();
    const before = [cluster.a.userData().slice(), cluster.b.userData().slice()];
    cluster.inject(cluster.a, {
      operation: 'write',
      code: 'EIO',
      times: 'always',
      offset: 4096,
      length: 512,
    });
    cluster.application.write(20 * SECTORS_PER_EXTENT, 1);
    cluster.wait(5_000);
    expect(cluster.application.failed).toBe(1);
    expect([cluster.a.userData(), cluster.b.userData()]).toEqual(before);
    expectGoodEnd(cluster);
  });

  it('W20: a FLUSH that the secondary failed costs the session, and what it may have lost is copied again', () => {
    const cluster = pair();
    cluster.application.write(100, 8);
    cluster.wait(100);
    cluster.inject(cluster.b, { operation: 'flush', code: 'EIO', times: 'once' });
    cluster.application.flush();
    cluster.wait(500);
    expect(cluster.application.failed).toBe(0);
    expect(said(cluster.a, 'Disconnected')).toBe(1);
    // What was not flushed goes with the power.
    cluster.b.losePower();
    cluster.wait(1_000);
    cluster.b.machine.powerOn();
    cluster.start(cluster.b, 'secondary');
    expectGoodEnd(cluster);
  });

  it('W21: a DELETE while the secondary is away happens there later', () => {
    const cluster = pair();
    writeEverywhere(cluster);
    cluster.b.killAll();
    cluster.wait(30_000);
    cluster.application.delete(64, 64);
    cluster.wait(1_000);
    cluster.start(cluster.b, 'secondary');
    expectGoodEnd(cluster);
  });

  it('W32: a write that failed on both nodes leaves its extent to be copied', () => {
    const cluster = pair();
    const at = { offset: DATA_OFFSET + 50 * 512, length: 512 };
    cluster.inject(cluster.a, { operation: 'write', code: 'EIO', times: 'once', ...at });
    cluster.inject(cluster.b, { operation: 'write', code: 'EIO', times: 'once', ...at });
    cluster.application.write(49, 3);
    cluster.wait(5_000);
    expect(cluster.application.failed).toBe(1);
    expectGoodEnd(cluster);
  });
});

describe('copies that are of no use alone', () => {
  /** `b` dies, `a` writes everywhere, `b` returns and is cut off, with its source, in the middle of the copying. */
  function halfCopied(cluster: Cluster): void {
    cluster.b.killAll();
    cluster.wait(30_000);
    writeEverywhere(cluster);
    cluster.start(cluster.b, 'secondary');
    expect(cluster.until(() => cluster.b.metadata().incomplete)).toBe(true);
    cluster.a.killAll();
    cluster.until(() => !cluster.b.hasWorker);
  }

  it('W8: a half-copied secondary shows no device, until its source is back', () => {
    const cluster = pair();
    halfCopied(cluster);
    cluster.b.setRole('primary');
    cluster.primary = cluster.b;
    cluster.wait(60_000);
    expect(cluster.application.device).toBeNull();
    cluster.start(cluster.a, 'secondary');
    expect(cluster.until(() => cluster.application.device !== null)).toBe(true);
    expectGoodEnd(cluster);
  });

  it('W8: unless it is forced to, and then it says so', () => {
    const cluster = pair();
    halfCopied(cluster);
    cluster.b.setRole('primary', true);
    cluster.primary = cluster.b;
    expect(cluster.until(() => cluster.application.device !== null)).toBe(true);
    expect(said(cluster.b, 'Local copy is incomplete; it is used all the same')).toBe(1);
  });

  it('W9: out of date and without its source, a primary acknowledges no write', () => {
    const cluster = pair();
    outOfDate(cluster);
    expect(cluster.until(() => cluster.a.metadata().incomplete)).toBe(true);
    cluster.b.killAll();
    cluster.wait(1_000);
    const { application } = cluster;
    const [acknowledged, failed] = [application.acknowledged, application.failed];
    application.write(0, 4);
    cluster.wait(TIMEOUT_S * 500);
    expect(application.outstanding, 'held').toBe(1);
    cluster.wait(TIMEOUT_S * 1000);
    expect(application.acknowledged).toBe(acknowledged);
    expect(application.failed).toBe(failed + 1);
    cluster.start(cluster.b, 'secondary');
    expectGoodEnd(cluster);
  });
});

describe('synchronisation from the secondary', () => {
  it.each(['fullsync', 'memsync', 'async'] as const)(
    'W25: ends in any mode, and no worker dies of it: %s',
    (mode) => {
      const cluster = pair(mode);
      outOfDate(cluster);
      expectGoodEnd(cluster);
      expect(said(cluster.a, 'Restarting worker process') + said(cluster.a, 'back to init')).toBe(0);
    },
  );

  it('W27, W28: reads see the newest data from the first moment, and none fails', () => {
    const cluster = pair();
    outOfDate(cluster);
    const { application } = cluster;
    for (let round = 0; round < 400; round++) {
      application.read((round * 7) % (EXTENTS * SECTORS_PER_EXTENT - 8), 8);
      cluster.wait(5);
    }
    expectGoodEnd(cluster);
    expect(application.failed).toBe(0);
    expect(application.reads).toBeGreaterThan(300);
  });
});

describe('reload', () => {
  it('W26: a changed replication mode stays, also over a new connection', () => {
    const cluster = pair('fullsync');
    cluster.a.reload({ ...cluster.a.resource, replication: 'async' });
    cluster.b.killWorker();
    cluster.wait(1_000);
    expect(cluster.reachSync()).toBe(true);
    cluster.lan.cut('b', 'a');
    const before = cluster.application.acknowledged;
    cluster.application.write(0, 1);
    cluster.wait(TIMEOUT_S * 500);
    expect(cluster.application.acknowledged, 'async waits for nobody').toBe(before + 1);
    cluster.healLinks();
    expectGoodEnd(cluster);
  });
});
