/**
 * Who wrote what the other has not: the stories of core/spec/faults.md section 6 in which the reference loses acknowledged
 * writes in silence, each with the verdict that its counters must lead to.
 */
import { describe, expect, it } from 'vitest';
import type { ReplicationMode } from '../../core/config/types.js';
import { Cluster } from './cluster.js';
import type { SimNode } from '../../sim/node.js';

const EXTENT_BYTES = 8192;
const EXTENTS = 16;

function cluster(replication: ReplicationMode = 'fullsync'): Cluster {
  const made = new Cluster(3, {
    datasize: EXTENTS * EXTENT_BYTES,
    extentsize: EXTENT_BYTES,
    maxRequestBytes: 4096,
    keepdirty: [2, 2],
    resource: { replication, timeout: 5 },
  });
  made.boot();
  return made;
}

/** `a` is primary, `b` secondary, both have the same. */
function pair(replication: ReplicationMode = 'fullsync'): Cluster {
  const made = cluster(replication);
  made.b.setRole('secondary');
  made.wait(100);
  made.a.setRole('primary');
  expect(made.reachSync()).toBe(true);
  write(made, 0);
  expect(made.reachSync()).toBe(true);
  return made;
}

/** Acknowledged, by whoever is primary. */
function write(on: Cluster, sector: number): void {
  const before = on.application.acknowledged;
  on.application.write(sector, 2);
  expect(on.until(() => on.application.acknowledged > before)).toBe(true);
}

function becomes(on: Cluster, node: SimNode, role: 'primary' | 'secondary'): void {
  node.setRole(role);
  on.until(() => node.role === role && (role === 'primary' || !node.hasWorker));
  if (role === 'primary') {
    on.primary = node;
    on.until(() => on.application.device !== null);
    on.wait(8_000);
  }
}

/** The primary dies, the other takes over. */
function failOver(on: Cluster): void {
  const next = on.secondary;
  on.primary.killAll();
  on.until(() => !next.hasWorker);
  becomes(on, next, 'primary');
}

function counts(on: Cluster): string {
  return [on.a, on.b]
    .map((node) => {
      const { localcnt, remotecnt } = node.metadata();
      return `${node.name}(${String(localcnt)},${String(remotecnt)})`;
    })
    .join(' ');
}

function hooks(on: Cluster, name: string): string[] {
  return [on.a, on.b]
    .filter((node) => node.hooks.some((hook) => hook.startsWith(name)))
    .map((node) => node.name);
}

/** In sync, equal, nothing lost, nobody spoke of split-brain. */
function expectGoodEnd(on: Cluster): void {
  expect(on.reachSync()).toBe(true);
  on.wait(10_000);
  expect(on.difference()).toBe(-1);
  on.application.checkImage(on.primary.userData(), on.primary.name);
  expect(on.application.violations).toEqual([]);
}

describe('one after the other', () => {
  it('R1: the survivor’s writes go to the old primary', () => {
    const on = pair();
    failOver(on);
    write(on, 64);
    expect(counts(on)).toBe('a(0,0) b(1,0)');
    on.start(on.a, 'secondary');
    expectGoodEnd(on);
  });

  it('R2, R3, W2: fail-back without synchronisation, then another failover: b counts again, and a takes its writes', () => {
    const on = pair();
    failOver(on);
    write(on, 64);
    becomes(on, on.b, 'secondary');
    on.start(on.a, 'primary');
    on.primary = on.a;
    expect(on.reachSync()).toBe(true);
    expect(counts(on)).toBe('a(0,1) b(1,0)');
    failOver(on);
    write(on, 96);
    expect(counts(on)).toBe('a(0,1) b(2,0)');
    becomes(on, on.b, 'secondary');
    on.start(on.a, 'primary');
    on.primary = on.a;
    expectGoodEnd(on);
    expect(hooks(on, 'split-brain')).toEqual([]);
  });

  it('W35, I29: an orderly change of roles takes the backlog of async along', () => {
    const on = pair('async');
    for (let i = 0; i < 64; i++) on.application.write((i * 3) % 200, 1);
    on.wait(1);
    on.a.setRole('secondary');
    on.until(() => on.a.role === 'secondary' && !on.a.hasWorker && !on.b.hasWorker);
    on.application.checkImage(on.b.userData(), 'b');
    becomes(on, on.b, 'primary');
    expectGoodEnd(on);
  });

  it('W41, R14: a primary that had to wait for the old one to step down copies what differs', () => {
    const on = pair();
    on.b.killAll();
    on.wait(8_000);
    write(on, 64);
    on.b.start();
    on.wait(50);
    on.b.setRole('secondary');
    // Before the first attempt to reconnect, the roles are exchanged, the new primary first.
    on.split(on.b);
    on.b.setRole('primary');
    on.wait(500);
    expect(hooks(on, 'dual-primary')).toEqual(['a', 'b']);
    on.a.setRole('secondary');
    on.until(() => on.a.role === 'secondary');
    on.primary = on.b;
    on.until(() => on.inSync());
    on.rejoin(on.a);
    expectGoodEnd(on);
  });
});

describe('side by side', () => {
  /** Both are primary, each with an application of its own; who writes is said by name. */
  function apart(on: Cluster, writers: string): void {
    on.cut();
    on.split(on.b);
    on.until(() => !on.b.hasWorker);
    on.b.setRole('primary');
    on.until(() => on.applicationOf(on.b).device !== null);
    on.wait(8_000);
    for (const node of [on.a, on.b]) {
      const application = on.applicationOf(node);
      if (!writers.includes(node.name)) continue;
      application.write(node === on.a ? 64 : 96, 2);
      on.until(() => application.outstanding === 0);
    }
    on.healLinks();
    on.wait(15_000);
  }

  it('R5, I12: both wrote: split-brain on both, told once, until one is created anew', () => {
    const on = pair();
    apart(on, 'ab');
    expect(hooks(on, 'dual-primary')).toEqual(['a', 'b']);
    becomes(on, on.b, 'secondary');
    on.wait(60_000);
    expect(hooks(on, 'split-brain')).toEqual(['a', 'b']);
    for (const node of [on.a, on.b]) {
      expect(node.hooks.filter((hook) => hook.startsWith('split-brain'))).toHaveLength(1);
    }
    on.b.setRole('init');
    on.until(() => on.b.role === 'init');
    on.b.create();
    on.b.setRole('secondary');
    on.rejoin(on.a);
    expectGoodEnd(on);
  });

  it('R4, W2: the same after a fail-back, when the counters were not zero', () => {
    const on = pair();
    failOver(on);
    write(on, 64);
    becomes(on, on.b, 'secondary');
    on.start(on.a, 'primary');
    on.primary = on.a;
    expect(on.reachSync()).toBe(true);
    apart(on, 'ab');
    expect(counts(on)).toBe('a(1,1) b(2,0)');
    becomes(on, on.b, 'secondary');
    on.wait(30_000);
    expect(hooks(on, 'split-brain')).toEqual(['a', 'b']);
  });

  it.each(['a', 'b'] as const)(
    'R6, R8, I13: only %s wrote: its data survives, whoever stays primary',
    (writer) => {
      for (const loser of ['a', 'b'] as const) {
        const on = pair();
        apart(on, writer);
        becomes(on, on[loser], 'secondary');
        on.primary = on.other(on[loser]);
        on.until(() => on.inSync(), 120_000);
        on.rejoin(on[writer]);
        expectGoodEnd(on);
        expect(hooks(on, 'split-brain')).toEqual([]);
      }
    },
  );
});

describe('before they ever met', () => {
  it('W5: what the first one wrote alone is copied', () => {
    const on = cluster();
    on.a.setRole('primary');
    on.until(() => on.application.device !== null);
    write(on, 64);
    expect(on.a.metadata()).toMatchObject({ localcnt: 1n, remotecnt: 0n });
    expect(on.a.metadata().resuid).not.toBe(0n);
    on.b.setRole('secondary');
    expectGoodEnd(on);
    expect(counts(on)).toBe('a(0,0) b(0,0)');
  });

  it('R22: when both wrote alone they are two resources, and say so', () => {
    const on = cluster();
    on.lan.cut('a', 'b');
    on.lan.cut('b', 'a');
    const other = on.split(on.b);
    for (const [node, application] of [
      [on.a, on.application],
      [on.b, other],
    ] as const) {
      node.setRole('primary');
      on.until(() => application.device !== null);
      on.wait(6_000);
      application.write(64, 2);
      on.until(() => application.outstanding === 0);
    }
    on.healLinks();
    becomes(on, on.b, 'secondary');
    on.wait(30_000);
    expect(hooks(on, 'mismatch')).toEqual(['a', 'b']);
    expect(on.inSync()).toBe(false);
  });

  it('R20: a node with a new disk gets everything, and may not be used alone until it has (C34)', () => {
    const on = pair();
    on.b.setRole('init');
    on.until(() => on.b.role === 'init' && !on.b.hasWorker);
    on.b.create();
    on.b.medium.visible.fill(0xee, 4608);
    on.b.setRole('secondary');
    // The primary has heard of it and counts; the copying has only begun.
    expect(on.until(() => on.a.metadata().localcnt === 1n)).toBe(true);
    on.wait(5);
    on.a.killAll();
    on.until(() => !on.b.hasWorker);
    on.b.setRole('primary');
    on.primary = on.b;
    on.wait(30_000);
    expect(on.application.device).toBeNull();
    on.start(on.a, 'secondary');
    expect(on.until(() => on.application.device !== null)).toBe(true);
    expectGoodEnd(on);
  });
});

describe('I18: a copy that is being made good again', () => {
  it('R19: an old primary that came back from a power failure is not used alone before it is whole', () => {
    const on = pair();
    for (let extent = 0; extent < EXTENTS; extent++) on.application.write(extent * 16, 16);
    on.until(() => on.application.outstanding === 0);
    on.a.losePower();
    on.until(() => !on.b.hasWorker);
    becomes(on, on.b, 'primary');
    on.a.machine.powerOn();
    on.start(on.a, 'secondary');
    on.until(() => on.a.metadata().incomplete, 30_000);
    expect(counts(on), 'nobody wrote alone').toBe('a(0,0) b(0,0)');
    on.b.killAll();
    on.until(() => !on.a.hasWorker);
    on.a.setRole('primary');
    on.primary = on.a;
    on.wait(15_000);
    expect(on.application.device).toBeNull();
  });
});
