import { describe, expect, it } from 'vitest';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { encodeAttachReply, SPLIT_BRAIN } from '../../core/wire/handshake-messages.js';
import { EXTENT, PrimaryBench, SECTOR, type BenchOptions } from '../../properties/request/primary-bench.js';
import type { ScriptedSecondary } from '../../properties/request/scripted-secondary.js';

function bench(
  prepare: (peer: ScriptedSecondary) => void = () => undefined,
  options: BenchOptions = {},
): PrimaryBench {
  const made = new PrimaryBench(options);
  prepare(made.peer);
  return made;
}

/** Starts dialling; the disk answers only when told. */
function dial(world: PrimaryBench, disk: 'disk works' | 'disk waits' = 'disk works'): PrimaryBench {
  world.turn(() => world.parts.link.connect());
  world.run(50, disk);
  return world;
}

function isUp(world: PrimaryBench): boolean {
  return world.parts.link.session !== null;
}

function standing(peer: ScriptedSecondary, changes: Partial<ScriptedSecondary['standing']>): void {
  peer.standing = { ...peer.standing, ...changes };
}

describe('link, what cannot be', () => {
  it.each([
    [{ datasize: 4096 }, 'Data size differs between nodes (local=32768, remote=4096)'],
    [{ extentsize: 8192 }, 'Extent size differs between nodes (local=4096, remote=8192)'],
  ])('N22, W31: a peer with %j is refused, with an event, and asked again', (changes, text) => {
    const world = dial(bench((peer) => standing(peer, changes)));
    expect(isUp(world)).toBe(false);
    expect(world.lines).toContainEqual({
      level: 'error',
      text: `Handshake with tcp4://10.0.0.2:8457 failed: ${text}.`,
    });
    expect(world.events).toEqual(['mismatch']);
    expect(world.attempts).toEqual(['failed']);
    world.run(25_000);
    expect(world.attempts).toEqual(['failed', 'failed', 'failed']);
    // Said once (W31).
    expect(world.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('a map that is too short is refused; a longer one is not', () => {
    const short = dial(bench((peer) => (peer.map = new Uint8Array(4).fill(1))));
    expect(short.log()).toContain("The peer's activemap is too short (4 bytes)");
    const long = dial(bench((peer) => (peer.map = new Uint8Array(4096).fill(0x80))));
    expect(isUp(long)).toBe(true);
    expect(long.parts.map.syncCount).toBe(1);
  });

  it('I18: an incomplete copy accepts no peer but its source', () => {
    const own = { metadata: { incomplete: true, localcnt: 1n }, bits: [1] };
    const world = dial(bench((peer) => standing(peer, { remotecnt: 0n }), own));
    expect(isUp(world)).toBe(false);
    expect(world.log()).toContain(
      'this copy is incomplete, and the peer is not where it was being copied from',
    );
    expect(world.parts.metadata.current.incomplete).toBe(true);
  });

  it('W8: equal counters and nothing to copy say that an incomplete copy was completed', () => {
    const world = dial(bench(undefined, { metadata: { incomplete: true } }));
    expect(isUp(world)).toBe(true);
    expect(world.parts.metadata.current.incomplete).toBe(false);
  });
});

describe('link, what is durable before the session is used', () => {
  it('I11: the merged map', () => {
    const world = dial(
      bench((peer) => (peer.map = new Uint8Array(512).fill(2))),
      'disk waits',
    );
    expect(isUp(world)).toBe(false);
    const [order] = world.disk.orders;
    expect(order).toMatchObject({ operation: 'write', offset: METADATA_BYTES });
    if (order !== undefined) world.disk.complete(order);
    expect(isUp(world)).toBe(false);
    world.disk.completeAll();
    expect(isUp(world)).toBe(true);
    expect(world.disk.bytes[METADATA_BYTES]).toBe(2);
  });

  it('C25, W14: a map that cannot be stored ends the handshake, and the bits are not forgotten', () => {
    const world = dial(
      bench((peer) => (peer.map = new Uint8Array(512).fill(2))),
      'disk waits',
    );
    const [order] = world.disk.orders;
    if (order !== undefined) world.disk.complete(order, 'EIO');
    world.run(10, 'disk works');
    expect(isUp(world)).toBe(false);
    expect(world.log()).toContain("unable to store the peer's activemap");
    expect(world.events).toEqual([]);
    world.run(11_000, 'disk works');
    expect(isUp(world)).toBe(true);
    expect(world.parts.map.needsSync(1)).toBe(true);
  });

  it('W8: that this copy is out of date', () => {
    const world = bench(
      (peer) => {
        standing(peer, { localcnt: 1n, syncsrc: 'secondary' });
        peer.map = new Uint8Array(512).fill(2);
      },
      { bits: [1] },
    );
    dial(world, 'disk waits');
    for (const step of ['map', 'flush', 'metadata', 'flush']) {
      expect(isUp(world), step).toBe(false);
      const [order] = world.disk.orders;
      if (order !== undefined) world.disk.complete(order);
    }
    expect(isUp(world)).toBe(true);
    expect(world.parts.metadata.current.incomplete).toBe(true);
    expect(world.parts.truth.outOfDate).toBe(true);
  });

  it('W8: or else there is no session', () => {
    const world = bench((peer) => standing(peer, { localcnt: 1n, syncsrc: 'secondary' }), { bits: [1] });
    dial(world, 'disk waits');
    const [order] = world.disk.orders;
    expect(order).toMatchObject({ operation: 'write', offset: 0 });
    if (order !== undefined) world.disk.complete(order, 'EIO');
    world.run(10, 'disk works');
    expect(isUp(world)).toBe(false);
    expect(world.log()).toContain('unable to store metadata');
    expect(world.parts.truth.outOfDate).toBe(false);
  });

  it('M3: a new resource id, before the peer hears of it', () => {
    const world = bench((peer) => standing(peer, { virgin: true }), { metadata: { resuid: 0n } });
    dial(world, 'disk waits');
    expect(world.peer.attaches).toEqual([]);
    world.run(50, 'disk works');
    expect(world.peer.attaches).toMatchObject([{ virgin: true, localcnt: 0n }]);
    expect(world.peer.attaches[0]?.resuid).toBe(world.parts.metadata.current.resuid);
    expect(isUp(world)).toBe(true);
  });

  it('M3: an id that cannot be stored ends the attempt', () => {
    const world = bench(undefined, { metadata: { resuid: 0n } });
    dial(world, 'disk waits');
    const [order] = world.disk.orders;
    if (order !== undefined) world.disk.complete(order, 'EIO');
    world.run(50, 'disk works');
    expect(world.peer.attaches).toEqual([]);
    expect(world.attempts).toEqual(['failed']);
  });

  it('M4, C26: with a virgin peer the count is 1 until everything is copied', () => {
    const world = bench((peer) => {
      standing(peer, { virgin: true });
      peer.map = new Uint8Array(512).fill(0xff);
    });
    dial(world);
    expect(world.parts.metadata.current.localcnt).toBe(1n);
    world.peer.automatic = true;
    for (const request of [...world.peer.requests]) world.peer.execute(request);
    world.run(200, 'disk works');
    expect(world.parts.metadata.current.localcnt).toBe(0n);
    expect(world.events.at(-1)).toBe('syncdone');
  });

  it('I13: two virgins are equal at once, and no count says that one of them was alone', () => {
    const world = bench((peer) => standing(peer, { virgin: true }), { metadata: { resuid: 0n } });
    dial(world, 'disk works');
    world.run(50, 'disk works');
    expect(isUp(world)).toBe(true);
    const stored = world.disk.orders.filter(({ operation }) => operation === 'write');
    expect(world.parts.metadata.current.localcnt).toBe(0n);
    expect(stored).toEqual([]);
  });
});

describe('link, a write during the handshake', () => {
  it('W4: that was acknowledged alone makes it void: the peer judged by counters of the past', () => {
    const world = bench((peer) => (peer.attach = 'silence'));
    dial(world);
    const id = world.submit('write', 0);
    world.run(10, 'disk works');
    expect(world.answer(id)).toBe('ok');
    expect(world.parts.metadata.current.localcnt).toBe(1n);
    world.peer.attach = 'accept';
    world.peer.sendOnA(encodeFrame(2, encodeAttachReply(world.peer.standing)));
    world.run(50, 'disk works');
    expect(world.log()).toContain('this node wrote alone during the handshake');
    expect(world.peer.attaches.map(({ localcnt }) => localcnt)).toEqual([0n, 1n]);
    expect(isUp(world)).toBe(true);
  });

  it('W4: the same when its count is still being stored', () => {
    const world = bench((peer) => (peer.map = new Uint8Array(512).fill(4)), { bits: [2] });
    dial(world, 'disk waits');
    const [map] = world.disk.orders;
    const id = world.submit('write', EXTENT);
    const data = world.disk.orders.find((order) => order !== map);
    if (map === undefined || data === undefined) throw new Error('the write waits for the map');
    world.disk.complete(data);
    expect(world.parts.lineage.storing).toBe(true);
    world.disk.complete(map);
    const flush = world.disk.orders.find(({ operation }) => operation === 'flush');
    if (flush !== undefined) world.disk.complete(flush);
    expect(isUp(world)).toBe(false);
    expect(world.log()).toContain('this node wrote alone during the handshake');
    world.run(50, 'disk works');
    expect(world.answer(id)).toBe('ok');
    expect(world.peer.attaches.map(({ localcnt }) => localcnt)).toEqual([0n, 1n]);
    expect(isUp(world)).toBe(true);
  });
});

describe('link, again and again', () => {
  it('N20: a peer that cannot be reached is dialled every 10 s, and it is said once', () => {
    const world = bench((peer) => (peer.hello = 'close'));
    dial(world);
    world.run(30_500);
    expect(world.attempts).toEqual(['failed', 'failed', 'failed', 'failed']);
    expect(world.lines.filter(({ level }) => level === 'warning')).toHaveLength(1);
  });

  it('a session that has lasted is renewed after a second', () => {
    const world = dial(bench((peer) => (peer.automatic = true)));
    world.run(15_000, 'disk works');
    world.peer.drop();
    world.run(2_000, 'disk works');
    expect(world.events).toEqual(['connect', 'disconnect', 'connect']);
    expect(world.log()).toContain('Successfully reconnected to tcp4://10.0.0.2:8457.');
  });

  it('W1: a peer that answers with errors is dialled ever more slowly, until it is healthy again', () => {
    const world = dial(bench());
    const connects: number[] = [];
    for (let round = 0; round < 4; round++) {
      world.submit('write', 0);
      while (isUp(world)) {
        for (const request of [...world.peer.requests]) world.peer.reply(request, { error: 'EIO' });
        world.run(50, 'disk works');
      }
      const before = world.scheduler.nowMs;
      while (!isUp(world)) world.run(1_000, 'disk works');
      connects.push(Math.round((world.scheduler.nowMs - before) / 10_000) * 10);
    }
    expect(connects).toEqual([20, 40, 80, 160]);
  });

  it('R5, W31: split-brain is an event each time; the daemon tells it once', () => {
    const world = dial(bench((peer) => (peer.attach = { refusal: SPLIT_BRAIN })));
    world.run(11_000);
    expect(world.events).toEqual(['split-brain', 'split-brain']);
    expect(world.lines.filter(({ text, level }) => text === SPLIT_BRAIN && level === 'warning')).toHaveLength(
      1,
    );
  });

  it('W31: another resource id is an event', () => {
    const refusal = 'Resource unique ID mismatch (primary=7, secondary=8).';
    expect(dial(bench((peer) => (peer.attach = { refusal }))).events).toEqual(['mismatch']);
  });

  it('W31, R7: a peer that is primary itself is an event; it may step down, so it is asked every second at first', () => {
    const world = dial(bench((peer) => (peer.hello = { refusal: 'acts as primary', wait: true })));
    expect(world.events).toEqual(['dual-primary']);
    world.run(3_100);
    expect(world.attempts).toEqual(['wait', 'wait', 'wait', 'wait']);
    world.peer.hello = 'accept';
    world.run(1_100, 'disk works');
    expect(world.attempts.at(-1)).toBe('connected');
  });

  it('W9: a peer whose data is needed is dialled every second', () => {
    const world = dial(
      bench((peer) => (peer.hello = 'close'), { metadata: { incomplete: true }, bits: [1] }),
    );
    world.run(4_500);
    expect(world.attempts).toHaveLength(5);
  });

  it('has no attempts without an address', () => {
    const world = dial(bench(undefined, { resource: { remoteaddr: 'none' } }));
    world.run(30_000);
    expect(world.attempts).toEqual([]);
    expect(world.peer.sessions).toBe(0);
  });
});

describe('link, the end', () => {
  it('is quiet, and marks what the peer may not have', () => {
    const world = dial(bench());
    world.submit('write', 0, SECTOR);
    world.run(5, 'disk works');
    world.turn(() => world.parts.link.stop());
    world.run(30_000, 'disk works');
    expect(world.events).toEqual(['connect']);
    expect(world.parts.map.needsSync(0)).toBe(true);
    expect(world.peer.sessions).toBe(1);
  });

  it('comes also in the middle of an attempt', () => {
    const world = bench((peer) => (peer.attach = 'silence'));
    dial(world);
    world.turn(() => world.parts.link.stop());
    world.peer.attach = 'accept';
    world.run(60_000, 'disk works');
    expect(world.attempts).toEqual([]);
  });

  it('an attempt that is dropped while its outcome is being stored begins anew', () => {
    const world = bench((peer) => (peer.map = new Uint8Array(512).fill(2)));
    dial(world, 'disk waits');
    world.turn(() => {
      world.parts.link.drop({ code: 'ECONNABORTED', message: 'other address' });
      world.parts.link.connect();
    });
    world.run(100, 'disk works');
    expect(world.peer.sessions).toBe(2);
    expect(isUp(world)).toBe(true);
    expect(world.events.filter((event) => event === 'connect')).toHaveLength(1);
  });
});
