import { describe, expect, it } from 'vitest';
import type { ResourceEvent } from '../../core/resource/types.js';
import { daemonConfig, DaemonWorld, resourceConfig } from '../../properties/daemon/daemon-world.js';
import { connect, helloFrame } from '../../properties/daemon/primary-side.js';

function started(config = daemonConfig()): DaemonWorld {
  const world = new DaemonWorld(config);
  world.start();
  world.log.length = 0;
  return world;
}

function emit(world: DaemonWorld, event: ResourceEvent): void {
  world.worker().tell((handler) => {
    handler.event(event);
  });
  world.run(10);
}

function offer(world: DaemonWorld, provider = 'r0'): void {
  world.worker().tell((handler) => {
    handler.exported(provider);
  });
  world.run(10);
}

const EXPORT = '/var/run/hast/r0';

describe('role commands', () => {
  it('starts every resource in init', () => {
    const world = started();
    expect(world.role('init').answer()).toEqual({ resource0: 'r0', role0: 'init' });
    expect(world.hooks).toEqual([]);
    expect(world.workers).toHaveLength(0);
  });

  it('answers with the previous role, starts the worker, runs the hook', () => {
    const world = started();
    expect(world.role('primary').answer()).toEqual({ resource0: 'r0', role0: 'init' });
    expect(world.worker().assignment).toEqual({
      role: 'primary',
      resource: world.daemon.resources.get('r0')?.config,
      force: false,
      recovers: false,
    });
    expect(world.role('primary').answer()).toEqual({ resource0: 'r0', role0: 'primary' });
    expect(world.workers).toHaveLength(1);
    expect(world.role('secondary').answer()).toEqual({ resource0: 'r0', role0: 'primary' });
    expect(world.worker().gone).toBe(true);
    expect(world.role('init').answer()).toEqual({ resource0: 'r0', role0: 'secondary' });
    expect(world.hooks).toEqual([
      '/hook role r0 init primary',
      '/hook role r0 primary secondary',
      '/hook role r0 secondary init',
    ]);
    expect(world.log).toEqual([
      'info [r0] (init) Role changed to primary.',
      'info [r0] (primary) Role changed to secondary.',
      'debug1 [r0] (secondary) Worker process 1001 stopped.',
      'info [r0] (secondary) Role changed to init.',
    ]);
  });

  it('runs no hook without a program', () => {
    const world = started(daemonConfig({ resources: [resourceConfig({ exec: '' })] }));
    world.role('primary');
    expect(world.hooks).toEqual([]);
  });

  it('answers only after the old worker is gone, killed after its timeout and 10 s', () => {
    const world = started();
    world.role('primary');
    world.worker().stubborn = true;
    const hastctl = world.role('secondary');
    world.run(29_000);
    expect(hastctl.answer()).toBeNull();
    expect(world.worker().stops).toBe(1);
    world.run(2_000);
    expect(world.worker().killed).toBe(true);
    expect(hastctl.answer()).toEqual({ resource0: 'r0', role0: 'primary' });
  });

  it('kills no worker that is gone', () => {
    const world = started();
    world.role('primary');
    world.role('init');
    world.run(100_000);
    expect(world.worker().killed).toBe(false);
    expect(world.logged('killing it')).toBe(0);
  });

  it('takes commands for one resource in order', () => {
    const world = started();
    world.role('primary');
    world.worker().stubborn = true;
    const first = world.role('secondary');
    const second = world.role('secondary');
    const third = world.role('primary');
    world.run(100);
    expect([first, second, third].map((hastctl) => hastctl.answer())).toEqual([null, null, null]);
    world.worker().exit(0);
    world.run(100);
    expect([first, second, third].map((hastctl) => hastctl.answer()?.['role0'])).toEqual([
      'primary',
      'secondary',
      'secondary',
    ]);
    expect(world.workers).toHaveLength(2);
    expect(world.hooks.slice(1)).toEqual([
      '/hook role r0 primary secondary',
      '/hook role r0 secondary primary',
    ]);
  });

  it('lets a stuck worker delay neither another resource nor status', () => {
    const world = started(daemonConfig({ resources: [resourceConfig(), resourceConfig({ name: 'r1' })] }));
    world.role('primary');
    world.worker().stubborn = true;
    const stuck = world.role('init');
    const both = world.control({ kind: 'setrole', role: 'secondary', force: false, names: ['r1', 'r0'] });
    world.run(10);
    expect(world.role('primary', 'r1').answer()).toEqual({ resource0: 'r1', role0: 'secondary' });
    const status = world.control({ kind: 'status', names: 'all' });
    world.run(100);
    expect(status.answer()).toMatchObject({
      role0: 'init',
      workerpid0: 1001,
      role1: 'primary',
      workerpid1: 1002,
    });
    expect(stuck.answer()).toBeNull();
    world.run(40_000);
    expect(stuck.answer()).toEqual({ resource0: 'r0', role0: 'primary' });
    expect(both.answer()).toEqual({ resource0: 'r1', role0: 'init', resource1: 'r0', role1: 'init' });
  });

  it('reports a worker that cannot be killed', () => {
    const world = started();
    world.role('primary');
    const worker = world.worker();
    worker.stubborn = true;
    worker.kill = () => undefined;
    const hastctl = world.role('init');
    world.run(200_000);
    expect(hastctl.answer()).toEqual({ resource0: 'r0', error0: 60 });
    expect(hastctl.closed).toBe(true);
  });
});

describe('role -f primary (W8)', () => {
  it('passes through', () => {
    const world = started();
    world.role('primary', 'r0', true);
    expect(world.worker().assignment).toMatchObject({ force: true });
    world.worker().exit('SIGSEGV');
    world.run(2_000);
    expect(world.workers).toHaveLength(2);
    expect(world.worker().assignment).toMatchObject({ force: true });
    world.role('init');
    world.role('primary');
    expect(world.worker().assignment).toMatchObject({ force: false });
  });

  it('restarts a primary that waits for its source, not one that serves', () => {
    const world = started();
    world.role('primary');
    expect(world.role('primary', 'r0', true).answer()).toEqual({ resource0: 'r0', role0: 'primary' });
    expect(world.worker(0).gone).toBe(true);
    expect(world.worker().assignment).toMatchObject({ force: true });
    expect(world.hooks).toEqual(['/hook role r0 init primary']);

    const serving = started();
    serving.role('primary');
    offer(serving);
    serving.role('primary', 'r0', true);
    expect(serving.workers).toHaveLength(1);
    expect(serving.worker().gone).toBe(false);
  });
});

describe('the end of a worker', () => {
  it('of a primary, by a signal or with 75: another one, with back-off', () => {
    const world = started();
    world.role('primary');
    world.log.length = 0;
    const restartedAfterMs: number[] = [];
    for (const how of ['SIGKILL', 75, 'SIGABRT', 75, 75, 75, 75, 75]) {
      const before = world.workers.length;
      world.worker().exit(how);
      const diedMs = world.scheduler.nowMs;
      world.scheduler.runUntil(() => world.workers.length > before, 100_000);
      restartedAfterMs.push(Math.round((world.scheduler.nowMs - diedMs) / 1000));
    }
    expect(restartedAfterMs).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(world.log.slice(0, 4)).toEqual([
      'error [r0] (primary) Worker process killed (pid=1001, signal=9).',
      'info [r0] (primary) Restarting worker process.',
      'error [r0] (primary) Worker process exited ungracefully (pid=1002, exitcode=75).',
      'info [r0] (primary) Restarting worker process.',
    ]);
    world.run(61_000);
    world.worker().exit('SIGKILL');
    world.run(1_100);
    expect(world.workers).toHaveLength(10);
    expect(world.hooks).toEqual(['/hook role r0 init primary']);
  });

  it('of a primary: the back-off begins anew with the role', () => {
    const world = started();
    world.role('primary');
    for (const delayMs of [1_000, 2_000, 4_000]) {
      world.worker().exit('SIGKILL');
      world.run(delayMs + 100);
    }
    expect(world.workers).toHaveLength(4);
    world.role('init');
    world.role('primary');
    world.worker().exit('SIGKILL');
    world.run(1_100);
    expect(world.workers).toHaveLength(6);
  });

  it.each([0, 66, 71, 78])('of a primary, with %i: role init and the hook (W36)', (code) => {
    const world = started();
    world.role('primary');
    world.worker().exit(code);
    world.run(10_000);
    expect(world.workers).toHaveLength(1);
    expect(world.daemon.resources.get('r0')?.role).toBe('init');
    expect(world.hooks).toEqual(['/hook role r0 init primary', '/hook role r0 primary init']);
    expect(world.log.at(-1)).toBe('info [r0] (primary) Changing resource role back to init.');
    expect(world.log.at(-2)).toBe(
      code === 0
        ? 'debug1 [r0] (primary) Worker process exited gracefully (pid=1001).'
        : `error [r0] (primary) Worker process exited ungracefully (pid=1001, exitcode=${code}).`,
    );
    expect(world.role('primary').answer()?.['role0']).toBe('init');
  });

  it('of a secondary, however: nothing, until the next connection', () => {
    const world = started();
    world.role('secondary');
    for (const how of ['SIGKILL', 75, 0, 78]) {
      connect(world);
      const count = world.workers.length;
      world.worker().exit(how);
      world.run(100_000);
      expect(world.workers).toHaveLength(count);
      expect(world.daemon.resources.get('r0')?.role).toBe('secondary');
    }
    expect(world.workers).toHaveLength(4);
  });

  it('leaves no restart behind when the role changes meanwhile', () => {
    const world = started();
    world.role('primary');
    world.worker().exit('SIGKILL');
    world.run(100);
    expect(world.role('secondary').answer()).toEqual({ resource0: 'r0', role0: 'primary' });
    world.run(100_000);
    expect(world.workers).toHaveLength(1);
  });
});

describe('events', () => {
  it('run the hook', () => {
    const world = started();
    world.role('primary');
    world.hooks.length = 0;
    const events = ['connect', 'syncstart', 'syncdone', 'syncintr', 'disconnect'] as const;
    for (const event of events) emit(world, event);
    expect(world.hooks).toEqual(events.map((event) => `/hook ${event} r0`));
  });

  it.each(['split-brain', 'mismatch', 'dual-primary'] as const)(
    'run it once for a lasting %s (W31)',
    (condition) => {
      const world = started();
      world.role('primary');
      world.hooks.length = 0;
      world.log.length = 0;
      for (let i = 0; i < 130; i++) {
        emit(world, condition);
        world.run(9_990);
      }
      expect(world.hooks).toEqual([`/hook ${condition} r0`]);
      expect(world.log).toHaveLength(3);
      emit(world, 'connect');
      emit(world, condition);
      world.role('secondary');
      world.role('primary');
      emit(world, condition);
      expect(world.hooks.filter((hook) => hook.includes(condition))).toHaveLength(3);
    },
  );

  it('tell a double primary when a peer wants this primary for its secondary (W31)', () => {
    const world = started();
    world.role('primary');
    for (let i = 0; i < 3; i++) {
      world.peer().send(helloFrame());
      world.run(10_000);
    }
    expect(world.hooks).toEqual(['/hook role r0 init primary', '/hook dual-primary r0']);
    expect(world.logged('Both nodes act as primary.')).toBe(1);
  });
});

describe("the device's listening socket", () => {
  it('comes with the device and goes with the role', () => {
    const world = started();
    world.role('primary');
    const early = world.client(EXPORT);
    world.run(10);
    expect(early.closed).toBe(true);
    offer(world);
    const client = world.client(EXPORT);
    client.send(Uint8Array.of(1, 2, 3));
    world.run(10);
    expect(world.worker().attached).toHaveLength(1);
    const [attached] = world.worker().attached;
    if (attached === undefined) throw new Error('no client');
    const read = world.readAll(attached);
    world.run(10);
    expect([...read()]).toEqual([1, 2, 3]);
    world.role('secondary');
    const late = world.client(EXPORT);
    world.run(10);
    expect(late.closed).toBe(true);
  });

  it('does not come when the worker has been told to stop', () => {
    const world = started();
    world.role('primary');
    world.worker().stubborn = true;
    world.role('init');
    offer(world);
    expect(world.reachable(EXPORT)).toBe(false);
    world.worker().exit(0);
    world.run(10);
    expect(world.reachable(EXPORT)).toBe(false);
  });

  it('outlives a worker that is restarted; clients wait for the next one', () => {
    const world = started();
    world.role('primary');
    offer(world);
    world.worker().exit('SIGKILL');
    world.run(100);
    const clients = [world.client(EXPORT), world.client(EXPORT)];
    clients[0]?.send(Uint8Array.of(7));
    world.run(1_500);
    expect(world.workers).toHaveLength(2);
    expect(world.worker().attached).toHaveLength(0);
    offer(world);
    expect(world.worker().attached).toHaveLength(2);
    expect(clients.some(({ closed }) => closed)).toBe(false);
  });

  it('is recovered by the next worker if it was offered before, and created anew in a new role', () => {
    const world = started();
    const recovers = (): unknown => world.worker().assignment;
    world.role('primary');
    expect(recovers()).toMatchObject({ recovers: false });
    world.worker().exit('SIGKILL');
    world.run(1_500);
    expect(recovers()).toMatchObject({ recovers: false });
    offer(world);
    world.worker().exit('SIGKILL');
    world.run(3_000);
    expect(recovers()).toMatchObject({ recovers: true });
    world.role('init');
    world.role('primary');
    expect(recovers()).toMatchObject({ recovers: false });
  });

  it('holds so many and no more, and drops them with the role', () => {
    const world = started();
    world.role('primary');
    offer(world);
    world.worker().exit('SIGKILL');
    world.run(100);
    const clients = Array.from({ length: 70 }, () => world.client(EXPORT));
    world.run(100);
    expect(clients.filter(({ closed }) => closed)).toHaveLength(6);
    world.role('init');
    world.run(100);
    expect(clients.every(({ closed }) => closed)).toBe(true);
  });

  it('costs the role when it cannot be had', () => {
    const world = started(daemonConfig({ listen: [EXPORT] }));
    world.role('primary');
    offer(world);
    world.run(100);
    expect(world.logged(`error [r0] (primary) Unable to listen on export address ${EXPORT}: `)).toBe(1);
    expect(world.daemon.resources.get('r0')?.role).toBe('init');
    expect(world.worker().gone).toBe(true);
    expect(world.hooks.at(-1)).toBe('/hook role r0 primary init');
  });
});
