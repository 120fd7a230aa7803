import { describe, expect, it } from 'vitest';
import { encodeControlRequest } from '../../core/control/requests.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { nv, type NvPair } from '../../core/wire/nv.js';
import {
  daemonConfig,
  DaemonWorld,
  resourceConfig,
  type TestPeer,
} from '../../properties/daemon/daemon-world.js';

const THREE = daemonConfig({
  resources: ['r0', 'r1', 'r2'].map((name) => resourceConfig({ name, provname: `prov-${name}` })),
});

function started(config = THREE): DaemonWorld {
  const world = new DaemonWorld(config);
  world.start();
  return world;
}

function ask(world: DaemonWorld, ...pairs: readonly NvPair[]): TestPeer {
  const client = world.client('/var/run/hastctl');
  client.send(encodeFrame(2, pairs));
  world.run(100);
  expect(client.closed).toBe(true);
  return client;
}

describe('status', () => {
  it('shows what the daemon knows, in configuration order', () => {
    const world = started();
    const status = world.control({ kind: 'status', names: 'all' });
    world.run(100);
    const fields = { localpath: '/dev/da0', remoteaddr: 'tcp4://10.0.0.2', replication: 'memsync' };
    const more = { checksum: 'none', compression: 'hole', role: 'init', workerpid: 0 };
    expect(status.answer()).toEqual(
      Object.assign(
        {},
        ...['r0', 'r1', 'r2'].map((name, i) =>
          Object.fromEntries(
            Object.entries({ resource: name, provname: `prov-${name}`, ...fields, ...more }).map(
              ([key, value]) => [`${key}${i}`, value],
            ),
          ),
        ),
      ),
    );
    expect(status.closed).toBe(true);
  });

  it('asks the workers', () => {
    const world = started();
    world.role('primary', 'r1');
    const status = world.control({ kind: 'status', names: ['r1'] });
    world.run(100);
    expect(status.answer()).toMatchObject({
      role0: 'primary',
      workerpid0: 1001,
      status0: 'complete',
      keepdirty0: 64,
    });
    world.run(10_000);
    expect(world.logged('did not answer')).toBe(0);
  });

  it('gives a worker that does not answer an error of its own, in time', () => {
    const world = started();
    for (const name of ['r0', 'r1', 'r2']) world.role('primary', name);
    world.worker(0).answersStatus = 'never';
    world.worker(1).answersStatus = 'badly';
    const status = world.control({ kind: 'status', names: 'all' });
    const other = world.control({ kind: 'status', names: ['r2'] });
    world.run(100);
    expect(other.answer()).toMatchObject({ status0: 'complete' });
    expect(status.answer()).toBeNull();
    world.run(5_000);
    const answer = status.answer();
    expect(answer).toMatchObject({
      resource0: 'r0',
      error0: 60,
      resource1: 'r1',
      error1: 57,
      status2: 'complete',
    });
    expect(answer).not.toHaveProperty('error');
    expect(answer).not.toHaveProperty('role0');
  });

  it('answers with error 0 when there is no resource', () => {
    const world = started(daemonConfig({ resources: [] }));
    const status = world.control({ kind: 'status', names: 'all' });
    world.run(100);
    expect(status.answer()).toEqual({ error: 0 });
  });
});

describe('errors', () => {
  it('names unknown resources and goes on', () => {
    const world = started();
    const reply = ask(
      world,
      nv.uint8('cmd', 1),
      nv.uint8('role', 3),
      nv.string('resource0', 'nope'),
      nv.string('resource1', 'r1'),
    );
    expect(reply.answer()).toEqual({ resource0: 'nope', error0: 1, resource1: 'r1', role1: 'init' });
    expect(world.daemon.resources.get('r1')?.role).toBe('secondary');
  });

  it.each([
    ['no resource', [nv.uint8('cmd', 2)], 2],
    ['no role', [nv.uint8('cmd', 1), nv.string('resource0', 'all')], 2],
    ['an unknown command', [nv.uint8('cmd', 9), nv.string('resource0', 'all')], 4],
  ])('refuses the request as a whole: %s', (_name, pairs, error) => {
    expect(ask(started(), ...pairs).answer()).toEqual({ error });
  });

  it.each([
    ['no command', encodeFrame(2, [nv.string('resource0', 'all')])],
    ['garbage', Uint8Array.of(2, 4, 0, 0, 0, 1, 2, 3, 4)],
    ['version 3', Uint8Array.of(3, 0, 0, 0, 0)],
    ['more than 1 MiB', Uint8Array.of(2, 1, 0, 16, 0)],
  ])('closes without a reply: %s', (_name, bytes) => {
    const world = started();
    const client = world.client('/var/run/hastctl');
    client.send(bytes);
    world.run(100);
    expect(client.closed).toBe(true);
    expect(client.received).toHaveLength(0);
  });
});

describe('users', () => {
  const DENIED = 'warning Control connection of user 1000 refused: only root and our own user may command.';

  it('that may command are answered, and so is everybody where the system does not tell', () => {
    const world = started();
    for (const uid of [0, null]) {
      world.clientUid = uid;
      expect(world.role('init').answer()).toEqual({ resource0: 'r0', role0: 'init' });
    }
  });

  it('that may not hear so, whatever they ask, and nothing happens', () => {
    const world = started();
    world.clientUid = 1000;
    expect(world.role('primary').answer()).toEqual({ error: 13 });
    expect(ask(world, nv.uint8('cmd', 9)).answer()).toEqual({ error: 13 });
    expect(world.workers).toHaveLength(0);
    expect(world.log.filter((line) => line === DENIED)).toHaveLength(1);
    world.run(60_000);
    world.role('primary');
    expect(world.log.filter((line) => line === DENIED)).toHaveLength(2);
  });

  it('that may not and say nothing take no place from others, and not for long', () => {
    const world = started();
    world.clientUid = 1000;
    const strangers = Array.from({ length: 100 }, () => world.client('/var/run/hastctl'));
    world.run(100);
    expect(strangers.filter(({ closed }) => closed)).toHaveLength(92);
    world.clientUid = 0;
    const allowed = Array.from({ length: 64 }, () => world.client('/var/run/hastctl'));
    world.run(100);
    expect(allowed.some(({ closed }) => closed)).toBe(false);
    world.run(2_000);
    expect(strangers.every(({ closed, received }) => closed && received.length === 0)).toBe(true);
    expect(world.log.filter((line) => line.includes('1000'))).toEqual([DENIED]);
  });

  it('that may not are gone when the daemon ends', () => {
    const world = started();
    world.clientUid = 1000;
    const stranger = world.client('/var/run/hastctl');
    world.run(10);
    world.in(() => {
      world.daemon.stop(() => undefined);
    });
    world.run(10);
    expect(stranger.closed).toBe(true);
  });
});

describe('connections', () => {
  it('are served at the same time, each with its own limit', () => {
    const world = started();
    const silent = world.client('/var/run/hastctl');
    const request = encodeFrame(2, encodeControlRequest({ kind: 'status', names: 'all' }));
    const slow = world.client('/var/run/hastctl');
    slow.send(request.subarray(0, 20));
    world.run(10_000);
    const quick = world.control({ kind: 'status', names: ['r0'] });
    world.run(100);
    expect(quick.answer()).toMatchObject({ resource0: 'r0' });
    slow.send(request.subarray(20));
    world.run(100);
    expect(slow.answer()).toMatchObject({ resource2: 'r2' });
    world.run(10_000);
    expect(silent.closed).toBe(true);
    expect(silent.received).toHaveLength(0);
  });

  it('that are too many are turned away', () => {
    const world = started();
    const clients = Array.from({ length: 70 }, () => world.client('/var/run/hastctl'));
    world.run(100);
    expect(clients.filter(({ closed }) => closed)).toHaveLength(6);
  });

  it('that meet a bug are closed; the next command is served', () => {
    const world = started();
    world.hooksThrow = true;
    const hastctl = world.role('primary');
    expect(hastctl.closed).toBe(true);
    expect(hastctl.received).toHaveLength(0);
    expect(world.logged('a bug')).toBe(1);
    world.hooksThrow = false;
    expect(world.role('init').answer()).toEqual({ resource0: 'r0', role0: 'primary' });
  });

  it('that go away do not stop what they asked for', () => {
    const world = started();
    world.role('primary');
    world.worker().stubborn = true;
    const hastctl = world.role('secondary');
    hastctl.close();
    world.run(60_000);
    expect(world.daemon.resources.get('r0')?.role).toBe('secondary');
    expect(world.worker().gone).toBe(true);
  });
});
