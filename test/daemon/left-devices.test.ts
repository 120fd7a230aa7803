/** Devices that outlive their workers: who gets rid of them, and when (W34). */
import { describe, expect, it } from 'vitest';
import { portError } from '../../core/ports/error.js';
import { daemonConfig, DaemonWorld, resourceConfig } from '../../properties/daemon/daemon-world.js';

function started(config = daemonConfig()): DaemonWorld {
  const world = new DaemonWorld(config, 1, true);
  world.start();
  world.run(20);
  return world;
}

describe('a device that a dead worker has left', () => {
  it('is removed when the daemon starts, before any command', () => {
    const world = new DaemonWorld(daemonConfig(), 1, true);
    world.start();
    expect(world.removals).toEqual(['r0']);
    world.role('primary');
    expect(world.removals).toEqual(['r0', 'r0']);
    world.run(20);
    expect(world.workers).toHaveLength(1);
  });

  it('is left alone by a daemon that does not get its addresses', () => {
    const world = new DaemonWorld(daemonConfig({ listen: ['tcp4://10.9.9.9:8457'] }), 1, true);
    expect(world.start()).not.toBeNull();
    expect(world.removals).toEqual([]);
  });

  it('is removed before a role command is answered, when its worker is gone', () => {
    const world = started();
    world.role('primary');
    world.run(20);
    world.removals.length = 0;
    const demotion = world.role('secondary');
    expect(world.worker().gone).toBe(true);
    expect(world.removals).toEqual(['r0']);
    expect(demotion.answer()).toBeNull();
    world.run(20);
    expect(demotion.answer()).toEqual({ resource0: 'r0', role0: 'primary' });
  });

  it('waits for the next worker after a crash', () => {
    const world = started();
    world.role('primary');
    world.run(20);
    world.removals.length = 0;
    world.worker().exit('SIGKILL');
    world.run(3_000);
    expect(world.workers).toHaveLength(2);
    expect(world.removals).toEqual([]);
  });

  it('is removed when the primary falls back to init', () => {
    const world = started();
    world.role('primary');
    world.run(20);
    world.removals.length = 0;
    world.worker().exit(66);
    world.run(20);
    expect(world.removals).toEqual(['r0']);
  });

  it('is removed at the end of the daemon, also when no worker is there', () => {
    const world = started();
    world.role('primary');
    world.run(20);
    world.worker().exit('SIGKILL');
    world.run(1);
    world.removals.length = 0;
    let stopped = false;
    world.in(() => {
      world.daemon.stop(() => {
        stopped = true;
      });
    });
    expect(world.removals).toEqual(['r0']);
    expect(stopped).toBe(false);
    world.run(20);
    expect(stopped).toBe(true);
  });

  it('is removed for a resource that a reload adds', () => {
    const world = started();
    world.removals.length = 0;
    world.config = daemonConfig({
      resources: [resourceConfig(), resourceConfig({ name: 'r1', provname: 'p1' })],
    });
    world.in(() => {
      world.daemon.reload();
    });
    world.run(20);
    expect(world.removals).toEqual(['p1']);
  });

  it('that cannot be removed is a warning, and the role changes', () => {
    const world = started();
    world.removalError = portError('EBUSY', 'Device busy');
    world.role('primary');
    world.run(20);
    expect(world.logged('warning [r0] (primary) Unable to destroy hast/r0 device: Device busy.')).toBe(1);
    expect(world.workers).toHaveLength(1);
  });

  it('needs no listening socket', () => {
    const world = started();
    world.role('primary');
    world.run(20);
    world.worker().tell((handler) => {
      handler.exported('r0');
    });
    world.run(20);
    expect(world.reachable('/var/run/hast/r0')).toBe(false);
    expect(world.daemon.resources.get('r0')?.role).toBe('primary');
  });
});
