import { describe, expect, it } from 'vitest';
import { Dialer, type DialOptions, type DialResult } from '../../core/handshake/dialer.js';
import { portError } from '../../core/ports/error.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { encodeAttachReply, encodeHelloReply } from '../../core/wire/handshake-messages.js';
import { nv } from '../../core/wire/nv.js';
import { ScriptedSecondary } from '../../properties/request/scripted-secondary.js';
import { simCodecs } from '../../sim/codecs.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine, type Booted } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';

const PEER = 'tcp4://10.0.0.2:8457';
const TIMEOUT_MS = 7_000;

/** A primary that dials, and a peer of which each stage can be told to go wrong. */
class World {
  readonly scheduler = new Scheduler();
  readonly lan = new Lan(this.scheduler, 1);
  readonly primary = this.#boot('p', '10.0.0.1');
  readonly other = this.#boot('s', '10.0.0.2');
  readonly peer = new ScriptedSecondary(this.other, PEER, { datasize: 65_536, extentsize: 4096 });
  readonly results: DialResult[] = [];
  credentials: 'given' | 'refused' | 'never' = 'given';
  dialer: Dialer | null = null;

  dial(changes: Partial<DialOptions> = {}): DialResult | null {
    const options = { resource: 'r0', remote: PEER, source: null, timeoutMs: TIMEOUT_MS, maxMapBytes: 1024 };
    const { clock, network, process } = this.primary;
    process.run(() => {
      this.dialer = new Dialer(
        { clock, network, codecs: simCodecs },
        { ...options, ...changes },
        {
          credentials: (done) => {
            if (this.credentials === 'refused') done(portError('EIO', 'no disk'), null);
            if (this.credentials !== 'given') return;
            done(null, { virgin: true, resuid: 5n, localcnt: 1n, remotecnt: 2n });
          },
          dialled: (result) => this.results.push(result),
        },
      );
    });
    this.scheduler.runFor(50);
    return this.results[0] ?? null;
  }

  /** What it came to, in words. */
  outcome(): string {
    const [result, more] = this.results;
    expect(more).toBeUndefined();
    if (result === undefined) return 'nothing';
    if (result.kind === 'connected') return 'connected';
    return result.kind === 'refused'
      ? `refused: ${result.message}`
      : `${result.stage ?? 'connect'}: ${result.error.code}`;
  }

  #boot(name: string, ip: string): Booted {
    return new SimMachine(this.scheduler, this.lan, this.lan.addHost(name, [ip]), [], 1).boot(name);
  }
}

describe('dialer', () => {
  it('goes through both handshakes and hands over what it has learned', () => {
    const world = new World();
    world.peer.map = new Uint8Array(512).fill(3);
    world.peer.settings = { compression: 'none', checksum: 'crc32' };
    const result = world.dial();
    expect(world.outcome()).toBe('connected');
    if (result?.kind !== 'connected') return;
    expect(result.version).toBe(2);
    expect(result.map).toEqual(world.peer.map);
    expect(result.reply).toMatchObject({ datasize: 65_536, syncsrc: 'primary', mapsize: 512 });
    expect(world.peer.attaches).toMatchObject([
      {
        resource: 'r0',
        virgin: true,
        resuid: 5n,
        localcnt: 1n,
        remotecnt: 2n,
        token: new Uint8Array(16).fill(7),
      },
    ]);
    world.scheduler.runFor(60_000);
    expect(world.results).toHaveLength(1);
  });

  it('speaks the older version of the two', () => {
    const world = new World();
    world.peer.version = 1;
    const result = world.dial();
    expect(result).toMatchObject({ kind: 'connected', version: 1, map: null });
  });

  it('passes a refusal on, and that the peer may step down soon', () => {
    const world = new World();
    world.peer.hello = { refusal: 'Remote node acts as primary.', wait: true };
    expect(world.dial()).toEqual({ kind: 'refused', message: 'Remote node acts as primary.', wait: true });
    world.scheduler.runFor(60_000);
    expect(world.results).toHaveLength(1);
  });

  it('hears a refusal on the second connection at once, where the reference waits for its timeout', () => {
    const world = new World();
    world.peer.attach = 'silence';
    world.peer.attachOnB = { refusal: "Token doesn't match." };
    world.dial();
    expect(world.outcome()).toBe("refused: Token doesn't match.");
  });

  it('hears the verdict of a worker', () => {
    const world = new World();
    world.peer.attach = { refusal: 'Split-brain condition!' };
    world.dial();
    expect(world.outcome()).toBe('refused: Split-brain condition!');
  });

  it('says nothing more once it was cancelled, at any stage', () => {
    for (const prepare of [
      () => undefined,
      (world: World) => (world.peer.hello = 'silence'),
      (world: World) => (world.credentials = 'never'),
      (world: World) => (world.peer.attach = 'silence'),
    ] as const) {
      const world = new World();
      prepare(world);
      if (prepare.length === 0) world.lan.cut('s', 'p');
      world.dial();
      world.dialer?.cancel();
      world.scheduler.runFor(60_000);
      expect(world.outcome()).toBe('nothing');
    }
  });
});

describe('dialer, each stage that fails', () => {
  const stages: readonly (readonly [string, (world: World) => void, string])[] = [
    ['nobody listens', (world) => world.lan.addHost('x', ['10.0.0.9']), 'connect: ECONNREFUSED'],
    [
      'an answer to the hello that is none',
      (world) => (world.peer.hello = { bytes: Uint8Array.of(2, 1, 0, 0, 0, 7) }),
      'receive the answer to the hello: EINVAL',
    ],
    [
      'a hello answered without a token',
      (world) => (world.peer.hello = { bytes: encodeFrame(2, [nv.uint8('version', 2)]) }),
      'receive the answer to the hello: EINVAL',
    ],
    [
      'a version that was never offered',
      (world) =>
        (world.peer.hello = {
          bytes: encodeFrame(2, encodeHelloReply({ version: 9, token: new Uint8Array(16) })),
        }),
      'receive the answer to the hello: EINVAL',
    ],
    [
      'a hang-up after the hello',
      (world) => (world.peer.hello = 'close'),
      'receive the answer to the hello: ECONNRESET',
    ],
    ['an id that cannot be stored', (world) => (world.credentials = 'refused'), 'store the resource id: EIO'],
    [
      'an answer to the handshake without sizes',
      (world) => (world.peer.attach = { bytes: encodeFrame(2, [nv.uint8('syncsrc', 1)]) }),
      'receive the handshake answer: EINVAL',
    ],
    [
      'a hang-up instead of the verdict',
      (world) => (world.peer.attach = 'close'),
      'receive the handshake answer: ECONNRESET',
    ],
    [
      'something on the second connection that is no refusal',
      (world) => {
        world.peer.attach = 'silence';
        world.peer.attachOnB = { bytes: encodeFrame(2, [nv.uint8('version', 2)]) };
      },
      'receive the handshake answer: EPROTO',
    ],
    [
      'a map larger than it can be',
      (world) => (world.peer.map = new Uint8Array(2048)),
      'receive the handshake answer: EPROTO',
    ],
    [
      'a map that does not fit its announcement',
      (world) => {
        const fields = encodeAttachReply({ ...world.peer.standing, mapsize: 512 });
        world.peer.attach = { bytes: encodeFrame(2, [...fields, nv.uint32('size', 511)]) };
      },
      'receive the handshake answer: EINVAL',
    ],
    [
      'a map of a compression that nobody knows',
      (world) => {
        const fields = encodeAttachReply({ ...world.peer.standing, mapsize: 512 });
        world.peer.attach = {
          bytes: encodeFrame(2, [...fields, nv.string('compression', 'zip'), nv.uint32('size', 9)]),
        };
      },
      'receive the handshake answer: EINVAL',
    ],
    [
      'a map with a wrong checksum',
      (world) => {
        const fields = encodeAttachReply({ ...world.peer.standing, mapsize: 512 });
        const sum = [
          nv.string('checksum', 'crc32'),
          nv.bytes('hash', new Uint8Array(4)),
          nv.uint32('size', 512),
        ];
        const frame = encodeFrame(2, [...fields, ...sum]);
        const bytes = new Uint8Array(frame.length + 512).fill(1);
        bytes.set(frame);
        world.peer.attach = { bytes };
      },
      "receive the peer's activemap: EINVAL",
    ],
  ];
  it.each(stages)('%s', (what, prepare, expected) => {
    const world = new World();
    prepare(world);
    world.dial(what === 'nobody listens' ? { remote: 'tcp4://10.0.0.9:8457' } : {});
    expect(world.outcome()).toBe(expected);
    world.scheduler.runFor(60_000);
    expect(world.results).toHaveLength(1);
  });

  it('C27: a map that is cut off is no map', () => {
    const world = new World();
    const fields = encodeAttachReply({ ...world.peer.standing, mapsize: 512 });
    const frame = encodeFrame(2, [...fields, nv.uint32('size', 512)]);
    const bytes = new Uint8Array(frame.length + 300).fill(1);
    bytes.set(frame);
    world.peer.attach = { bytes };
    world.dial();
    world.peer.drop();
    world.scheduler.runFor(50);
    expect(world.outcome()).toBe("receive the peer's activemap: ECONNRESET");
  });

  const silences: readonly (readonly [string, (world: World) => void])[] = [
    ['connect', (world) => world.lan.cut('s', 'p')],
    ['receive the answer to the hello', (world) => (world.peer.hello = 'silence')],
    ['store the resource id', (world) => (world.credentials = 'never')],
    ['receive the handshake answer', (world) => (world.peer.attach = 'silence')],
  ];
  it.each(silences)('silence when it should %s: after the timeout, not before', (stage, prepare) => {
    const world = new World();
    prepare(world);
    world.dial();
    world.scheduler.runFor(TIMEOUT_MS - 100);
    expect(world.outcome()).toBe('nothing');
    world.scheduler.runFor(200);
    expect(world.outcome()).toBe(`${stage}: ETIMEDOUT`);
  });

  it('credentials that come after the timeout are too late', () => {
    const world = new World();
    let give: () => void = () => undefined;
    const { clock, network, process } = world.primary;
    const options = { resource: 'r0', remote: PEER, source: null, timeoutMs: TIMEOUT_MS, maxMapBytes: 1024 };
    process.run(() => {
      new Dialer({ clock, network, codecs: simCodecs }, options, {
        credentials: (done) => {
          give = () => done(null, { virgin: true, resuid: 5n, localcnt: 1n, remotecnt: 2n });
        },
        dialled: (result) => world.results.push(result),
      });
    });
    world.scheduler.runFor(TIMEOUT_MS + 100);
    process.run(() => give());
    world.scheduler.runFor(1_000);
    expect(world.outcome()).toBe('store the resource id: ETIMEDOUT');
    expect(world.peer.attaches).toEqual([]);
  });
});
