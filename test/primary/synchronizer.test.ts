import { describe, expect, it } from 'vitest';
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import {
  EXTENT,
  LOCALOFF,
  PrimaryBench,
  SECTOR,
  type BenchOptions,
} from '../../properties/request/primary-bench.js';
import type { PeerRequest } from '../../properties/request/scripted-secondary.js';

const CHUNK = 2 * SECTOR;
const CHUNKS = EXTENT / CHUNK;

/** A primary with these extents dirty from before, and its own data in every sector; the peer answers when it is told. */
function dirty(bits: number, options: BenchOptions = {}): PrimaryBench {
  const bench = new PrimaryBench({ bits: [bits], ...options });
  const data = bench.disk.bytes.subarray(LOCALOFF);
  data.forEach((_, at) => (data[at] = 1 + (Math.floor(at / SECTOR) & 0x7f)));
  return bench;
}

function connect(bench: PrimaryBench): void {
  bench.connect();
}

/** The node that has the newest data is the peer. */
function pulling(bits: number, options: BenchOptions = {}): PrimaryBench {
  const bench = dirty(bits, { metadata: { incomplete: true }, ...options });
  bench.peer.standing = { ...bench.peer.standing, localcnt: 1n, syncsrc: 'secondary' };
  bench.peer.image.fill(0x77);
  return bench;
}

function writesHeard(bench: PrimaryBench): PeerRequest[] {
  return bench.peer.requests.filter(({ command }) => command === 'write');
}

/** Lets the peer answer everything, for so long. */
function goOn(bench: PrimaryBench, durationMs = 100): void {
  bench.peer.automatic = true;
  for (const request of [...bench.peer.requests]) bench.peer.execute(request);
  bench.run(durationMs, 'disk works');
}

function bitsOnDisk(bench: PrimaryBench): number {
  return bench.disk.bytes[METADATA_BYTES] ?? 0;
}

function sameCopies(bench: PrimaryBench, extent: number): boolean {
  const at = extent * EXTENT;
  const ours = bench.disk.bytes.subarray(LOCALOFF + at, LOCALOFF + at + EXTENT);
  return ours.every((byte, i) => byte === bench.peer.image[at + i]);
}

describe('synchronisation to the peer', () => {
  it('copies the lowest extent first, several chunks at once, never memsync', () => {
    const bench = dirty(0b1010, { resource: { replication: 'memsync' } });
    connect(bench);
    const order = writesHeard(bench).map(({ offset }) => offset);
    expect(order).toEqual([0, 1, 2, 3, 8, 9, 10, 11].map((chunk) => EXTENT + chunk * CHUNK));
    expect(writesHeard(bench).every(({ memsync }) => !memsync)).toBe(true);
    expect(bench.events).toEqual(['connect', 'syncstart']);
    goOn(bench);
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
    expect([1, 3].map((extent) => sameCopies(bench, extent))).toEqual([true, true]);
    expect(bitsOnDisk(bench)).toBe(0);
    expect(bench.log()).toContain('Synchronization started. 8.0KB to go.');
    expect(bench.log()).toContain('Synchronization complete. 8.0KB synchronized in 0s');
  });

  it('is not announced when there is nothing to do', () => {
    const bench = dirty(0);
    connect(bench);
    expect(bench.log()).toContain('Nodes are in sync.');
    expect(bench.events).toEqual(['connect']);
    expect(bench.peer.requests).toEqual([]);
  });

  it('copies the last extent only as far as it goes', () => {
    const bench = dirty(0b100, { extents: 3 });
    connect(bench);
    goOn(bench);
    expect(sameCopies(bench, 2)).toBe(true);
  });

  it('W15: declares nothing equal before both nodes have flushed what was copied', () => {
    const bench = dirty(1, { metadata: { localcnt: 1n } });
    connect(bench);
    for (const request of writesHeard(bench)) bench.peer.execute(request);
    bench.run(5, 'disk works');
    expect(bench.peer.requests).toMatchObject([{ command: 'flush' }]);
    expect(bench.parts.metadata.current.localcnt).toBe(1n);
    expect(bench.events).toEqual(['connect', 'syncstart']);
    expect(bitsOnDisk(bench)).toBe(1);
    goOn(bench);
    expect(bench.parts.metadata.current.localcnt).toBe(0n);
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
    expect(bitsOnDisk(bench)).toBe(0);
  });

  it('C30, C31: takes over the peer’s counters, once they are stored', () => {
    const bench = dirty(1, { metadata: { localcnt: 3n, remotecnt: 4n } });
    bench.peer.standing = { ...bench.peer.standing, localcnt: 4n, remotecnt: 2n };
    connect(bench);
    goOn(bench);
    const { localcnt, remotecnt } = bench.parts.metadata.current;
    expect([localcnt, remotecnt]).toEqual([2n, 4n]);
  });

  it('W8: tells an own peer when its copy is of no use, and when it is whole', () => {
    const bench = dirty(1, { metadata: { localcnt: 1n } });
    connect(bench);
    expect(bench.peer.keepalives).toEqual([false]);
    goOn(bench);
    expect(bench.peer.keepalives).toEqual([false, true]);
  });

  it('W10: an extent with a failed chunk keeps its bit, is tried again, and nothing is declared equal meanwhile', () => {
    const bench = dirty(0b11, { metadata: { localcnt: 1n } });
    connect(bench);
    const order = bench.disk.orders[0];
    expect(order).toBeUndefined();
    bench.peer.automatic = true;
    bench.disk.completed = () => undefined;
    const [bad] = writesHeard(bench);
    if (bad === undefined) throw new Error('nothing came');
    for (const request of writesHeard(bench).filter((one) => one !== bad)) bench.peer.execute(request);
    bench.peer.reply(bad, { error: 'ENOSPC' });
    bench.run(20, 'disk works');
    expect(bench.log()).toContain('Synchronization of extent 0 failed: the peer answered ENOSPC.');
    expect(bench.parts.map.needsSync(0)).toBe(true);
    expect(bench.events).toEqual(['connect', 'syncstart']);
    bench.run(11_000, 'disk works');
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
    expect(sameCopies(bench, 0)).toBe(true);
    expect(bench.parts.metadata.current.localcnt).toBe(0n);
  });

  it('W10, D12: a chunk that cannot be read here neither', () => {
    const bench = dirty(0b11);
    bench.peer.automatic = true;
    bench.turn(() => bench.parts.link.connect());
    bench.run(30);
    const [first] = bench.disk.orders.filter(({ operation }) => operation === 'read');
    if (first === undefined) throw new Error('nothing is read');
    bench.disk.complete(first, 'EIO');
    bench.run(20, 'disk works');
    expect(bench.parts.map.needsSync(0)).toBe(true);
    expect(bench.parts.statistics.counts().readErrors).toBe(1);
    bench.run(11_000, 'disk works');
    expect(bench.parts.map.syncCount).toBe(0);
    expect(sameCopies(bench, 0)).toBe(true);
  });

  it('tries again ever more slowly, up to once a minute', () => {
    const bench = dirty(1);
    const at: number[] = [];
    bench.peer.heard = ({ command, offset }) => {
      if (command === 'write' && offset === 0) at.push(bench.scheduler.nowMs);
    };
    connect(bench);
    for (let seconds = 0; seconds < 250; seconds++) {
      for (const request of [...bench.peer.requests]) {
        if (request.command === 'write') bench.peer.reply(request, { error: 'EIO' });
        else bench.peer.execute(request);
      }
      bench.run(1_000, 'disk works');
    }
    const waits = at.slice(1).map((time, i) => Math.round((time - (at[i] ?? 0)) / 10_000) * 10);
    expect(waits).toEqual([10, 20, 40, 60, 60]);
    expect(bench.parts.link.session).not.toBeNull();
  });

  it('tries the end again when the flush failed', () => {
    const bench = dirty(1, { metadata: { localcnt: 1n } });
    connect(bench);
    for (const request of writesHeard(bench)) bench.peer.execute(request);
    bench.run(5);
    bench.disk.completeAll();
    bench.run(5);
    const order = bench.disk.orders.find(({ operation }) => operation === 'flush');
    if (order !== undefined) bench.disk.complete(order, 'EIO');
    for (const request of [...bench.peer.requests]) bench.peer.execute(request);
    bench.run(50, 'disk works');
    goOn(bench, 25_000);
    expect(bench.events.at(-1)).toBe('syncdone');
    expect(bench.parts.metadata.current.localcnt).toBe(0n);
  });

  it('tries the end again when the counters could not be stored (W14)', () => {
    const bench = dirty(0, { metadata: { localcnt: 1n } });
    bench.turn(() => bench.parts.link.connect());
    bench.run(30);
    const order = bench.disk.orders.find(({ offset, operation }) => operation === 'write' && offset === 0);
    if (order === undefined) throw new Error('nothing is stored');
    bench.disk.complete(order, 'EIO');
    bench.run(50, 'disk works');
    expect(bench.log()).not.toContain('Nodes are in sync.');
    bench.run(11_000, 'disk works');
    expect(bench.log()).toContain('Nodes are in sync.');
    expect(bench.parts.metadata.current.localcnt).toBe(0n);
  });
});

describe('the progress of a synchronisation', () => {
  it('is told once a minute, and to who asks', () => {
    const bench = dirty(0xff, { resource: { syncrate: { leastPerS: 256, mostPerS: 256 } } });
    bench.peer.automatic = true;
    connect(bench);
    bench.run(30_000, 'disk works');
    const standing = bench.parts.synchronizer.standing;
    expect(standing?.bytesPerS).toBeGreaterThan(128);
    expect(standing?.bytesPerS).toBeLessThan(384);
    expect(standing?.leftBytes).toBe(bench.parts.map.syncCount * EXTENT);
    expect(bench.log()).not.toContain('to go (');
    bench.run(40_000, 'disk works');
    expect(bench.log()).toMatch(/info Synchronization: \d+KB to go \(\d+B\/sec\)\. \S+ left\./);
    bench.run(240_000, 'disk works');
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
    expect(bench.parts.synchronizer.standing).toBeNull();
  });
});

describe('the rate of a synchronisation', () => {
  it('may be changed while it is under way', () => {
    const bench = dirty(0xff, { resource: { syncrate: { leastPerS: 128, mostPerS: 128 } } });
    bench.peer.automatic = true;
    connect(bench);
    bench.run(2_000, 'disk works');
    expect(bench.parts.map.syncCount).toBeGreaterThan(6);
    bench.turn(() => {
      bench.parts.config = { ...bench.parts.config, syncrate: DEFAULT_SYNCRATE };
      bench.parts.synchronizer.reloaded();
    });
    bench.run(200, 'disk works');
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
  });

  it('never comes to an end because an application is busy', () => {
    const bench = dirty(0xff);
    bench.peer.automatic = true;
    connect(bench);
    for (let i = 0; i < 200; i++) {
      bench.submit('write', 0);
      bench.run(10, 'disk works');
    }
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
  });
});

describe('synchronisation and writes', () => {
  it('I22: a write waits for the chunk in its way, and a chunk for the write', () => {
    const bench = dirty(1);
    connect(bench);
    const id = bench.submit('write', 0);
    bench.run(5, 'disk works');
    expect(writesHeard(bench)).toHaveLength(CHUNKS);
    const [chunk] = writesHeard(bench);
    if (chunk !== undefined) bench.peer.execute(chunk);
    bench.run(5, 'disk works');
    const last = writesHeard(bench).at(-1);
    expect(last).toMatchObject({ offset: 0, length: SECTOR });
    goOn(bench);
    expect(bench.answer(id)).toBe('ok');
    expect(sameCopies(bench, 0)).toBe(true);
  });

  it('an extent that became dirty again while it was copied is copied again', () => {
    const bench = dirty(1);
    connect(bench);
    bench.turn(() => {
      bench.parts.map.needSync({ first: 0, last: 0 });
      bench.parts.synchronizer.marked({ first: 0, last: 0 });
    });
    const first = writesHeard(bench);
    for (const request of first) bench.peer.execute(request);
    bench.run(5, 'disk works');
    expect(writesHeard(bench)).toHaveLength(CHUNKS);
    goOn(bench);
    expect(bench.parts.map.syncCount).toBe(0);
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
  });

  it('an extent marked below the cursor is not forgotten', () => {
    const bench = dirty(0b100);
    connect(bench);
    bench.turn(() => {
      bench.parts.map.needSync({ first: 0, last: 0 });
      bench.parts.synchronizer.marked({ first: 0, last: 0 });
    });
    goOn(bench);
    expect([0, 2].map((extent) => sameCopies(bench, extent))).toEqual([true, true]);
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
  });

  it('an extent marked while the counters are being stored opens the synchronisation again', () => {
    const bench = dirty(0, { metadata: { localcnt: 1n } });
    bench.turn(() => bench.parts.link.connect());
    bench.run(30);
    bench.turn(() => {
      bench.parts.map.needSync({ first: 3, last: 3 });
      bench.parts.synchronizer.marked({ first: 3, last: 3 });
    });
    goOn(bench);
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
    expect(sameCopies(bench, 3)).toBe(true);
  });
});

describe('synchronisation that is interrupted', () => {
  it('says so once, and begins again with the lowest bit left', () => {
    const bench = dirty(0b11);
    connect(bench);
    const extent0 = writesHeard(bench).filter(({ offset }) => offset < EXTENT);
    for (const request of extent0) bench.peer.execute(request);
    bench.run(5, 'disk works');
    bench.peer.drop();
    bench.run(10, 'disk works');
    expect(bench.events).toEqual(['connect', 'syncstart', 'disconnect', 'syncintr']);
    expect(bench.log()).toMatch(/Synchronization interrupted after 0s. 4.0KB synchronized so far/);
    // W15: the copied extent was not flushed, so it is copied again, too.
    expect(bench.parts.map.nextToSync(0)).toBe(0);
    bench.peer.automatic = true;
    bench.run(12_000, 'disk works');
    expect(bench.events).toEqual([
      'connect',
      'syncstart',
      'disconnect',
      'syncintr',
      'connect',
      'syncstart',
      'syncdone',
    ]);
    expect([0, 1].map((extent) => sameCopies(bench, extent))).toEqual([true, true]);
  });

  it('W11: a chunk that a slow disk still reads for the old session counts for nothing in the new one', () => {
    const bench = dirty(1);
    bench.turn(() => bench.parts.link.connect());
    bench.run(30);
    const slow = bench.disk.orders.filter(({ operation }) => operation === 'read');
    expect(slow).toHaveLength(CHUNKS);
    bench.peer.drop();
    bench.run(12_000);
    expect(bench.peer.sessions).toBe(2);
    for (const order of slow) bench.disk.complete(order);
    bench.run(5);
    bench.peer.drop();
    bench.run(10, 'disk works');
    expect(bench.parts.map.needsSync(0)).toBe(true);
    bench.peer.automatic = true;
    bench.run(15_000, 'disk works');
    expect(sameCopies(bench, 0)).toBe(true);
    expect(bench.events.at(-1)).toBe('syncdone');
  });

  it('C35: makes progress although no session lasts long, extent by extent', () => {
    const bench = dirty(0xff, { keepdirty: 1 });
    const total = 8;
    for (let round = 0; round < 3 * total && bench.parts.map.syncCount > 0; round++) {
      if (bench.parts.link.session === null) connect(bench);
      for (const request of writesHeard(bench).slice(0, CHUNKS)) bench.peer.execute(request);
      bench.run(5, 'disk works');
      for (const request of bench.peer.requests.filter(({ command }) => command === 'flush'))
        bench.peer.reply(request);
      bench.run(5_100, 'disk works');
      for (const request of bench.peer.requests.filter(({ command }) => command === 'flush'))
        bench.peer.reply(request);
      bench.run(5, 'disk works');
      bench.peer.drop();
      bench.run(5, 'disk works');
    }
    expect(bench.parts.map.syncCount).toBe(0);
  });
});

describe('synchronisation from the peer', () => {
  it('reads there and writes here', () => {
    const bench = pulling(0b101);
    connect(bench);
    expect(bench.peer.requests.every(({ command }) => command === 'read')).toBe(true);
    goOn(bench);
    expect(bench.events).toEqual(['connect', 'syncstart', 'syncdone']);
    expect([0, 2].map((extent) => sameCopies(bench, extent))).toEqual([true, true]);
    expect(sameCopies(bench, 1)).toBe(false);
    const { incomplete, localcnt, remotecnt } = bench.parts.metadata.current;
    expect([incomplete, localcnt, remotecnt]).toEqual([false, 0n, 1n]);
    expect(bench.parts.truth.outOfDate).toBe(false);
  });

  it('stays out of date while a sector cannot be written here', () => {
    const bench = pulling(1);
    connect(bench);
    for (const request of [...bench.peer.requests]) bench.peer.execute(request);
    bench.run(5);
    const [order] = bench.disk.orders.filter(({ operation }) => operation === 'write');
    if (order === undefined) throw new Error('nothing is written');
    bench.disk.complete(order, 'EIO');
    goOn(bench, 50);
    expect(bench.parts.metadata.current.incomplete).toBe(true);
    expect(bench.parts.statistics.counts().writeErrors).toBe(1);
    bench.run(11_000, 'disk works');
    expect(bench.parts.metadata.current.incomplete).toBe(false);
    expect(sameCopies(bench, 0)).toBe(true);
  });
});

describe('repair', () => {
  it('W40: what could not be read here is written back from the peer', () => {
    const bench = dirty(0);
    bench.peer.image.fill(0x55);
    connect(bench);
    const id = bench.submit('read', 0, CHUNK);
    const [order] = bench.disk.orders;
    if (order === undefined) throw new Error('nothing is read');
    bench.disk.complete(order, 'EIO');
    bench.peer.automatic = true;
    bench.run(20, 'disk works');
    expect(bench.answer(id)).toBe('ok');
    expect(bench.disk.bytes.subarray(LOCALOFF, LOCALOFF + CHUNK).every((byte) => byte === 0x55)).toBe(true);
    expect(bench.events).toEqual(['connect']);
  });

  it('W18: a repair that the peer refused is made good with its extent', () => {
    const bench = pulling(0, {
      metadata: { incomplete: true, localBad: [{ offset: SECTOR, length: SECTOR }] },
    });
    connect(bench);
    const repair = bench.peer.requests.find(({ offset, length }) => offset === SECTOR && length === SECTOR);
    if (repair === undefined) throw new Error('no repair');
    bench.peer.reply(repair, { error: 'EIO' });
    goOn(bench);
    expect(sameCopies(bench, 0)).toBe(true);
    expect(bench.parts.metadata.current.localBad).toEqual([]);
    expect(bench.parts.truth.localBad).toEqual([]);
  });

  it('W18: bad bytes come back from the peer before the rest of their extent goes there', () => {
    const bench = dirty(1, { metadata: { localBad: [{ offset: 0, length: 3 * SECTOR }] } });
    bench.peer.image.fill(0x55);
    connect(bench);
    goOn(bench, 12_000);
    expect(sameCopies(bench, 0)).toBe(true);
    const data = bench.disk.bytes.subarray(LOCALOFF);
    expect([0, 2, 3].map((sector) => data[sector * SECTOR])).toEqual([0x55, 0x55, 4]);
    expect(bench.parts.metadata.current.localBad).toEqual([]);
  });
});
