import { describe, expect, it } from 'vitest';
import { DAEMON, daemonConfig, DaemonWorld, resourceConfig } from '../../properties/daemon/daemon-world.js';
import { attachFrame, connect, greet } from '../../properties/daemon/primary-side.js';

const TWO = daemonConfig({ resources: [resourceConfig(), resourceConfig({ name: 'r1' })] });

function stop(world: DaemonWorld): () => boolean {
  let done = false;
  world.in(() => {
    world.daemon.stop(() => {
      done = true;
    });
  });
  return () => done;
}

describe('start', () => {
  it('binds everything and says so, after whoever started it was told', () => {
    const world = new DaemonWorld(daemonConfig({ listen: ['tcp4://0.0.0.0:8457', '10.0.0.1:9000'] }));
    let linesBefore = -1;
    world.in(() => {
      world.daemon.start((failure) => {
        expect(failure).toBeNull();
        linesBefore = world.log.length;
      });
    });
    world.run(10);
    expect(linesBefore).toBe(0);
    expect(world.log).toEqual([
      'info Started successfully, running protocol version 2.',
      'debug1 Listening on control address /var/run/hastctl.',
      'info Listening on address tcp4://0.0.0.0:8457.',
      'info Listening on address 10.0.0.1:9000.',
    ]);
    expect(['/var/run/hastctl', DAEMON, 'tcp4://10.0.0.1:9000'].every((at) => world.reachable(at))).toBe(
      true,
    );
  });

  it.each([
    ['control', { control: '10.0.0.9:1' }, 'Unable to listen on control address 10.0.0.9:1: '],
    ['peers', { listen: ['10.0.0.1', 'h:0'] }, 'Unable to listen on address h:0: '],
    [
      'an address given twice',
      { listen: ['10.0.0.1', '10.0.0.1'] },
      'Unable to listen on address 10.0.0.1: ',
    ],
  ])('fails as a whole when an address cannot be had: %s', (_name, changes, text) => {
    const world = new DaemonWorld(daemonConfig(changes));
    const failure = world.start();
    expect(failure?.exitCode).toBe(71);
    expect(failure?.text.startsWith(text)).toBe(true);
    expect(failure?.text.endsWith('.')).toBe(true);
    expect(world.log).toEqual([]);
    expect(['/var/run/hastctl', DAEMON].some((at) => world.reachable(at))).toBe(false);
  });

  it('can be stopped half way', () => {
    const world = new DaemonWorld();
    let told = false;
    world.in(() => {
      world.daemon.start(() => {
        told = true;
      });
    });
    const stopped = stop(world);
    expect(stopped()).toBe(true);
    world.run(100);
    expect(told).toBe(false);
    expect(['/var/run/hastctl', DAEMON].some((at) => world.reachable(at))).toBe(false);
  });
});

describe('stop', () => {
  it('is done at once without workers', () => {
    const world = new DaemonWorld();
    world.start();
    expect(stop(world)()).toBe(true);
    expect(world.log.at(-1)).toBe('info Termination signal received, exiting.');
    expect(['/var/run/hastctl', DAEMON].some((at) => world.reachable(at))).toBe(false);
  });

  it('waits for the workers; the control socket goes last', () => {
    const world = new DaemonWorld(TWO);
    world.start();
    world.role('primary');
    world.role('secondary', 'r1');
    world.worker().stubborn = true;
    world.log.length = 0;
    const stopped = stop(world);
    world.run(1_000);
    expect(world.log).toEqual([
      'info Termination signal received, exiting.',
      'info Terminating worker process (resource=r0, role=primary, pid=1001).',
    ]);
    expect(stopped()).toBe(false);
    expect(world.worker().stops).toBe(1);
    expect(world.reachable(DAEMON)).toBe(false);
    const client = world.control({ kind: 'status', names: 'all' });
    world.run(10);
    expect(client.closed).toBe(true);
    expect(client.received).toHaveLength(0);
    world.worker().exit(0);
    world.run(10);
    expect(stopped()).toBe(true);
    expect(world.reachable('/var/run/hastctl')).toBe(false);
    expect(world.hooks).toEqual(['/hook role r0 init primary', '/hook role r1 init secondary']);
  });

  it('kills workers that do not end', () => {
    const world = new DaemonWorld();
    world.start();
    world.role('primary');
    world.worker().stubborn = true;
    const stopped = stop(world);
    world.run(31_000);
    expect(world.worker().killed).toBe(true);
    expect(stopped()).toBe(true);
  });

  it('ends even when a worker cannot be killed', () => {
    const world = new DaemonWorld();
    world.start();
    world.role('primary');
    world.worker().stubborn = true;
    world.worker().kill = () => undefined;
    const stopped = stop(world);
    world.run(151_000);
    expect(stopped()).toBe(true);
  });

  it('starts no worker any more', () => {
    const world = new DaemonWorld(TWO);
    world.start();
    world.role('primary');
    world.worker().exit('SIGKILL');
    world.role('secondary', 'r1');
    const { token } = greet(world, 'r1');
    stop(world);
    world.peer().send(attachFrame(token, 'r1'));
    world.run(100_000);
    expect(world.workers).toHaveLength(1);
  });

  it('cuts short a role command that waits', () => {
    const world = new DaemonWorld();
    world.start();
    world.role('primary');
    world.worker().stubborn = true;
    world.role('secondary');
    const hastctl = world.role('primary');
    const stopped = stop(world);
    world.worker().exit(0);
    world.run(100);
    expect(stopped()).toBe(true);
    expect(hastctl.closed).toBe(true);
    expect(world.workers).toHaveLength(1);
    expect(world.hooks).toEqual(['/hook role r0 init primary', '/hook role r0 primary secondary']);
    world.run(200_000);
    expect(world.logged('still there')).toBe(0);
  });

  it('drops clients that wait for a device and peers that wait for a worker', () => {
    const world = new DaemonWorld(TWO);
    world.start();
    world.role('primary', 'r1');
    world.worker().tell((handler) => {
      handler.exported('r1');
    });
    world.run(10);
    world.worker().exit('SIGKILL');
    world.role('secondary');
    const session = connect(world);
    world.worker().stubborn = true;
    const waiting = connect(world);
    const client = world.client('/var/run/hast/r1');
    const silent = world.peer();
    world.run(10);
    stop(world);
    world.run(10);
    expect([client, silent, waiting.connA, waiting.connB].every(({ closed }) => closed)).toBe(true);
    expect(session.connA.closed).toBe(false);
  });
});
