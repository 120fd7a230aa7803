import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../core/base/bytes.js';
import { encodeFrame, HEADER_BYTES } from '../../core/wire/frame.js';
import { nv } from '../../core/wire/nv.js';
import { daemonConfig, DaemonWorld, resourceConfig } from '../../properties/daemon/daemon-world.js';
import { attachFrame, connect, greet, helloFrame } from '../../properties/daemon/primary-side.js';
import { hex, refusal } from './refusal.js';

function secondary(config = daemonConfig(), seed = 1): DaemonWorld {
  const world = new DaemonWorld(config, seed);
  world.start();
  world.role('secondary');
  return world;
}

describe('who may connect', () => {
  it('closes strangers without a word', () => {
    const world = secondary();
    const stranger = world.stranger();
    stranger.send(helloFrame());
    world.run(100);
    expect(stranger.closed).toBe(true);
    expect(stranger.received).toHaveLength(0);
    expect(world.log.filter((line) => line.includes('10.0.0.3')).map(withoutPort)).toEqual([
      'info Connection from tcp://10.0.0.3:P to tcp://10.0.0.1:8457.',
      "error Client tcp://10.0.0.3:P isn't known.",
    ]);
  });

  it('resolves names of peers, by family', () => {
    const named = (remoteaddr: string): DaemonWorld =>
      secondary(daemonConfig({ resources: [resourceConfig({ remoteaddr })] }));
    expect(greet(named('hostb')).token).toHaveLength(16);
    expect(greet(named('tcp4://hostb:1234')).token).toHaveLength(16);
    const world = named('tcp6://hostb');
    const peer = world.peer();
    peer.send(helloFrame());
    world.run(100);
    expect(peer.closed).toBe(true);
  });

  it('takes nobody for `none`, nor a Unix socket', () => {
    const world = secondary(
      daemonConfig({ resources: [resourceConfig({ remoteaddr: 'none' })], listen: ['/listen'] }),
    );
    const client = world.client('/listen');
    world.run(100);
    expect(client.closed).toBe(true);
    expect(client.received).toHaveLength(0);
    expect(world.logged("isn't known")).toBe(1);
  });
});

describe('handshake 1', () => {
  it.each([
    [2, 2],
    [1, 1],
    [0, 1],
    [9, 2],
  ])('negotiates: version %i offered, %i agreed', (offered, agreed) => {
    const world = secondary();
    const peer = world.peer();
    peer.send(helloFrame('r0', offered));
    world.run(100);
    const token = peer.answer()?.['token'];
    expect(hex(peer.received)).toBe(
      `0${agreed}34000000` +
        `020801000000${'76657273696f6e00'}0${agreed}00000000000000` +
        `0a0610000000${'746f6b656e000000'}${hex(token as Uint8Array)}`,
    );
  });

  it('takes a missing version for 1', () => {
    const world = secondary();
    const peer = world.peer();
    peer.send(encodeFrame(1, [nv.string('resource', 'r0')]));
    world.run(100);
    expect(peer.answer()?.['version']).toBe(1);
  });

  it('gives every hello another token', () => {
    const world = secondary();
    expect(hex(greet(world).token)).not.toBe(hex(greet(world).token));
  });

  it('closes connection A of a hello that is replaced by a newer one', () => {
    const world = secondary();
    const older = greet(world);
    const newer = greet(world);
    const connB = world.peer();
    connB.send(attachFrame(newer.token));
    world.run(10);
    expect(world.workers).toHaveLength(1);
    expect(older.connA.closed).toBe(true);
  });

  it.each(['init', 'primary'] as const)('refuses in role %s', (role) => {
    const world = new DaemonWorld();
    world.start();
    world.role(role);
    const peer = world.peer();
    peer.send(helloFrame());
    world.run(100);
    const text = `Remote node acts as ${role} for the resource and not as secondary.`;
    expect(hex(peer.received)).toBe(refusal(2, text, role === 'primary'));
    expect(peer.closed).toBe(true);
    expect(world.log.map(withoutPort)).toContain(
      `warning [r0] (${role}) We act as ${role} for the resource and not as secondary as requested by tcp://10.0.0.2:P.`,
    );
  });

  it('says it in the very bytes of the reference', () => {
    const world = new DaemonWorld();
    world.start();
    world.role('primary');
    const peer = world.peer();
    peer.send(helloFrame());
    world.run(100);
    // test/interop/reference/wire/reject-peer-primary.jsonl
    expect(hex(peer.received)).toBe(
      '026c0000001107430000006572726d7367000052656d6f7465206e6f64652061637473206173207072696d61727920666f7220' +
        '746865207265736f7572636520616e64206e6f74206173207365636f6e646172792e000000000000020501000000776169740000' +
        '00000100000000000000',
    );
  });

  it('refuses unknown resources, to an old peer in a version that it can read', () => {
    for (const version of [2, 1]) {
      const world = secondary();
      const peer = world.peer();
      peer.send(helloFrame('nope', version));
      world.run(100);
      expect(hex(peer.received)).toBe(refusal(version, 'Resource not configured.', false));
      expect(peer.closed).toBe(true);
      expect(world.log.map(withoutPort)).toContain(
        "error No resource 'nope' as requested by tcp://10.0.0.2:P.",
      );
    }
  });

  it('refuses a peer of another resource', () => {
    const world = secondary(
      daemonConfig({
        resources: [resourceConfig({ remoteaddr: '10.0.0.3' }), resourceConfig({ name: 'r1' })],
      }),
    );
    const peer = world.peer();
    peer.send(helloFrame());
    world.run(100);
    expect(hex(peer.received)).toBe(refusal(2, 'No access to the resource.', false));
    expect(peer.closed).toBe(true);
  });

  it.each([
    ['a version byte above ours', bytesOf('\x03\0\0\0\0')],
    ['a huge list', Uint8Array.of(2, 0xff, 0xff, 0xff, 0xff)],
    ['garbage for a list', bytesOf('\x02\x08\0\0\0abcdefgh')],
    ['no resource', encodeFrame(1, [nv.uint8('version', 2)])],
    ['a token of 8 bytes', attachFrame(new Uint8Array(8))],
  ])('closes without a word: %s', (_name, bytes) => {
    const world = secondary();
    const peer = world.peer();
    peer.send(bytes);
    world.run(100);
    expect(peer.closed).toBe(true);
    expect(peer.received).toHaveLength(0);
    expect(world.logged('Unable to receive header from tcp://10.0.0.2')).toBe(1);
  });

  it('keeps control characters of a peer out of the log', () => {
    const world = secondary();
    world.peer().send(helloFrame(`a\n\x1b[2J${'x'.repeat(500)}`));
    world.run(100);
    expect(world.logged(`No resource 'a??[2J${'x'.repeat(248)}...' as`)).toBe(1);
  });
});

describe('slow and silent clients (W30)', () => {
  it('gives each 20 s, and nobody else waits', () => {
    const world = secondary();
    const silent = world.peer();
    const slow = world.peer();
    slow.send(helloFrame().subarray(0, 30));
    world.run(19_000);
    const { connA, connB } = connect(world);
    expect(connA.closed || connB.closed).toBe(false);
    expect(world.workers).toHaveLength(1);
    expect(silent.closed || slow.closed).toBe(false);
    world.run(1_500);
    expect(silent.closed && slow.closed).toBe(true);
    expect(silent.received).toHaveLength(0);
    expect(world.logged('handshake not finished within 20s')).toBe(2);
    expect(world.worker().gone).toBe(false);
  });

  it('takes a hello byte by byte', () => {
    const world = secondary();
    const peer = world.peer();
    for (const byte of helloFrame()) {
      peer.send(Uint8Array.of(byte));
      world.run(100);
    }
    expect(peer.answer()?.['version']).toBe(2);
  });

  it('drops the oldest when there are too many', () => {
    const world = secondary();
    const peers = Array.from({ length: 30 }, () => world.peer());
    world.run(100);
    expect(peers.filter(({ closed }) => closed)).toHaveLength(30 - (16 + 4));
    expect(greet(world).token).toHaveLength(16);
  });
});

describe('tokens (W38)', () => {
  const zero = new Uint8Array(16);

  function attach(world: DaemonWorld, token: Uint8Array, version = 2): string {
    const connB = world.peer();
    connB.send(attachFrame(token, 'r0', version));
    world.run(100);
    expect(connB.closed).toBe(true);
    return hex(connB.received);
  }

  it('refuses any token while no connection A waits', () => {
    const world = secondary();
    expect(attach(world, zero)).toBe(refusal(2, "Token doesn't match.", false));
    expect(attach(world, zero, 1)).toBe(refusal(1, "Token doesn't match.", false));
    expect(world.log.map(withoutPort)).toContain(
      "error [r0] (secondary) Token received from tcp://10.0.0.2:P doesn't match.",
    );
  });

  it('refuses a wrong one and goes on waiting for the right one', () => {
    const world = secondary();
    const { token } = greet(world);
    expect(attach(world, zero)).toBe(refusal(2, "Token doesn't match.", false));
    world.peer().send(attachFrame(token));
    world.run(10);
    expect(world.workers).toHaveLength(1);
  });

  it('accepts each once', () => {
    const world = secondary();
    const { token } = connect(world);
    expect(attach(world, token)).toBe(refusal(2, "Token doesn't match.", false));
    expect(world.workers).toHaveLength(1);
    expect(world.worker().stops).toBe(0);
  });

  it('accepts each once, also while its session waits for its predecessor', () => {
    const world = secondary();
    connect(world);
    world.worker().stubborn = true;
    const { connA, token } = connect(world);
    expect(attach(world, token)).toBe(refusal(2, "Token doesn't match.", false));
    expect(connA.closed).toBe(false);
  });

  it('forgets them in time', () => {
    const world = secondary();
    const { connA, token } = greet(world);
    world.run(41_000);
    expect(connA.closed).toBe(true);
    expect(attach(world, token)).toBe(refusal(2, "Token doesn't match.", false));
  });

  it('binds them to a resource', () => {
    const world = secondary(daemonConfig({ resources: [resourceConfig(), resourceConfig({ name: 'r1' })] }));
    world.role('secondary', 'r1');
    const { token } = greet(world, 'r1');
    expect(attach(world, token)).toBe(refusal(2, "Token doesn't match.", false));
  });

  it('refuses the second connection, too, when the role has changed', () => {
    const world = secondary();
    const { token } = greet(world);
    world.role('primary');
    const text = 'Remote node acts as primary for the resource and not as secondary.';
    expect(attach(world, token)).toBe(refusal(2, text, true));
  });
});

describe('handing over to the worker', () => {
  it('tells the version and handshake 2 as it was received', () => {
    const world = secondary();
    const { token } = connect(world);
    const { assignment } = world.worker();
    if (assignment.role !== 'secondary') throw new Error('not a secondary');
    expect(assignment.version).toBe(2);
    expect(assignment.resource).toBe(world.daemon.resources.get('r0')?.config);
    expect(hex(assignment.handshake)).toBe(hex(attachFrame(token).subarray(HEADER_BYTES)));
  });

  // The seeds cut the streams into packets at different places.
  it.each(Array.from({ length: 20 }, (_, seed) => seed))('loses no byte, whenever it arrives: %i', (seed) => {
    const world = secondary(daemonConfig(), seed);
    connect(world);
    world.worker().stubborn = true;

    const connA = world.peer();
    connA.send(Uint8Array.from([...helloFrame(), 1, 2]));
    world.run(10);
    connA.send(Uint8Array.of(3));
    world.run(10);
    const connB = world.peer();
    const token = connA.answer()?.['token'] as Uint8Array;
    connB.send(Uint8Array.from([...attachFrame(token), 101]));
    connA.send(Uint8Array.of(4));
    world.run(10);
    connA.send(Uint8Array.of(5));
    connB.send(Uint8Array.of(102));
    world.run(10);
    expect(world.workers).toHaveLength(1);
    world.worker().exit(0);
    connA.send(Uint8Array.of(6));
    connB.send(Uint8Array.of(103));
    world.run(2);
    expect(world.workers).toHaveLength(2);
    connA.send(Uint8Array.of(7));
    connB.send(Uint8Array.of(104));
    const { assignment } = world.worker();
    if (assignment.role !== 'secondary') throw new Error('not a secondary');
    const readA = world.readAll(assignment.connA);
    const readB = world.readAll(assignment.connB);
    connA.send(Uint8Array.of(8));
    world.run(10);
    expect([...readA()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...readB()]).toEqual([101, 102, 103, 104]);
  });
});

describe('a session that is replaced', () => {
  it('goes on after a hello, and ends when the newcomer has shown its token', () => {
    const world = secondary();
    connect(world);
    const { token } = greet(world);
    world.run(1000);
    expect(world.worker().stops).toBe(0);
    world.peer().send(attachFrame(token));
    world.run(1);
    world.run(10);
    expect(world.worker(0).stops).toBe(1);
    expect(world.worker(0).gone).toBe(true);
    expect(world.workers).toHaveLength(2);
  });

  it('starts the next worker only after the last one is gone, killed if need be', () => {
    const world = secondary();
    connect(world);
    world.worker().stubborn = true;
    connect(world);
    world.run(9_900);
    expect(world.worker(0).stops).toBe(1);
    expect(world.workers).toHaveLength(1);
    world.run(200);
    expect(world.worker(0).killed).toBe(true);
    expect(world.workers).toHaveLength(2);
    expect(world.logged('Worker process 1001 did not stop within 10s, killing it.')).toBe(1);
  });

  it('gives a former primary the time it needs', () => {
    const world = secondary();
    world.role('primary');
    world.worker().stubborn = true;
    world.role('secondary');
    connect(world);
    world.run(29_000);
    expect(world.worker(0).killed).toBe(false);
    world.run(2_000);
    expect(world.worker(0).killed).toBe(true);
    expect(world.workers).toHaveLength(2);
  });

  it('drops a newcomer that waits when a newer one has the right token', () => {
    const world = secondary();
    connect(world);
    world.worker().stubborn = true;
    const second = connect(world);
    const third = connect(world);
    world.run(20_000);
    expect(world.workers).toHaveLength(2);
    expect(second.connA.closed && second.connB.closed).toBe(true);
    expect(third.connA.closed || third.connB.closed).toBe(false);
  });

  it('drops a newcomer that waits when the role changes', () => {
    const world = secondary();
    connect(world);
    world.worker().stubborn = true;
    const second = connect(world);
    world.role('init');
    world.run(60_000);
    expect(second.connA.closed && second.connB.closed).toBe(true);
    expect(world.workers).toHaveLength(1);
  });
});

describe('bugs', () => {
  it('cost the connection that met them and no other', () => {
    const world = new DaemonWorld();
    world.start();
    world.role('primary');
    const bystander = world.peer();
    world.hooksThrow = true;
    const victim = world.peer();
    victim.send(helloFrame());
    world.run(100);
    expect(victim.closed).toBe(true);
    expect(world.logged('Internal error while serving tcp://10.0.0.2')).toBe(1);
    expect(world.logged('a bug')).toBe(1);
    bystander.send(helloFrame());
    world.run(100);
    expect(bystander.answer()?.['wait']).toBe(1);
  });
});

function withoutPort(line: string): string {
  return line.replace(/(10\.0\.0\.[23]):\d+/, '$1:P');
}
