import { describe, expect, it } from 'vitest';
import {
  EXTENT,
  LOCALOFF,
  PrimaryBench,
  SECTOR,
  type BenchOptions,
} from '../../properties/request/primary-bench.js';

const MAX = 2 * SECTOR;
/** As many as the reference has. */
const MAX_REQUESTS = 256;

/** A primary without a session, whose bits are all on the disk, so that writes go to it at once. */
function alone(options: BenchOptions = {}): PrimaryBench {
  return new PrimaryBench({ bits: Array.from({ length: 32 }, () => 0xff), ...options });
}

/** Out of date: what needs sync is on the peer, which is away. */
function outOfDate(options: BenchOptions = {}): PrimaryBench {
  const world = new PrimaryBench({
    bits: [1],
    metadata: { incomplete: true },
    resource: { timeout: 10 },
    ...options,
  });
  world.peer.standing = { ...world.peer.standing, localcnt: 1n, syncsrc: 'secondary' };
  world.peer.image.fill(0x77);
  return world;
}

describe('intake', () => {
  it('cuts requests at the wire’s limit, and answers and counts them once', () => {
    const world = alone();
    const id = world.submit('write', SECTOR, 5 * SECTOR);
    expect(world.disk.orders.map(({ offset, length }) => [offset - LOCALOFF, length])).toEqual([
      [SECTOR, MAX],
      [SECTOR + MAX, MAX],
      [SECTOR + 2 * MAX, SECTOR],
    ]);
    world.disk.completeAll();
    expect(world.answer(id)).toBe('ok');
    expect(world.parts.statistics.counts().writes).toBe(1);
    const stored = world.disk.bytes.subarray(LOCALOFF + SECTOR, LOCALOFF + 6 * SECTOR);
    expect(stored).toEqual(world.buffers.get(id));
  });

  it('the first error of any piece is the answer, after all of them', () => {
    const world = alone();
    const id = world.submit('write', 0, 3 * MAX);
    const [first, second, third] = world.disk.orders;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three pieces');
    world.disk.complete(second, 'ENOSPC');
    world.disk.complete(first);
    expect(world.answer(id)).toBeNull();
    world.disk.complete(third);
    world.disk.completeAll();
    expect(world.answer(id)).toBe('ENOSPC');
  });

  it('cuts a DELETE only where it is enormous', () => {
    const world = alone();
    world.submit('delete', 0, 8 * EXTENT);
    expect(world.disk.orders).toMatchObject([{ operation: 'delete', length: 8 * EXTENT }]);
  });

  it(`I5: works on ${String(MAX_REQUESTS)} pieces at once, the others wait in order`, () => {
    const world = alone({ extents: 64 });
    for (let i = 0; i < MAX_REQUESTS + 2; i++) world.submit('write', i * SECTOR);
    expect(world.disk.orders).toHaveLength(MAX_REQUESTS);
    expect(world.parts.intake.idle).toBe(0);
    const [first] = world.disk.orders;
    if (first !== undefined) world.disk.complete(first);
    world.disk.completeAll();
    expect(world.parts.intake.busy).toBe(0);
    expect(world.parts.intake.idle).toBe(MAX_REQUESTS - 1);
    expect([...world.answers.values()].every((answers) => answers.length === 1)).toBe(true);
  });

  it('keeps what comes before it is opened, and starts nothing once it is closed', () => {
    const world = alone({ serving: false });
    const early = world.submit('read', 0);
    expect(world.disk.orders).toEqual([]);
    world.turn(() => world.parts.intake.open());
    world.turn(() => world.parts.intake.close());
    expect(world.drains).toBe(0);
    const late = world.submit('read', 0);
    world.disk.completeAll();
    expect([early, late].map((id) => world.answer(id))).toEqual(['ok', null]);
    expect(world.drains).toBe(1);
  });

  it('is drained at once when nothing is in progress', () => {
    const world = alone();
    world.turn(() => world.parts.intake.close());
    expect(world.drains).toBe(1);
  });
});

describe('intake, requests that need a peer who is away (W9)', () => {
  it('are held up to the timeout, each from its own beginning, then fail with EIO; the others go on', () => {
    const world = outOfDate();
    const read = world.submit('read', 0);
    world.run(4_000, 'disk works');
    const write = world.submit('write', 5 * EXTENT);
    const clean = world.submit('read', 5 * EXTENT);
    world.run(10, 'disk works');
    expect([read, write, clean].map((id) => world.answer(id))).toEqual([null, null, 'ok']);
    world.run(5_900, 'disk works');
    expect(world.answer(read)).toBeNull();
    world.run(200, 'disk works');
    expect([read, write].map((id) => world.answer(id))).toEqual(['EIO', null]);
    world.run(4_000, 'disk works');
    expect(world.answer(write)).toBe('EIO');
    expect(world.parts.intake.busy).toBe(0);
  });

  it('are served first when the peer is back, in their order', () => {
    const world = outOfDate();
    const first = world.submit('write', 5 * EXTENT);
    const second = world.submit('write', 5 * EXTENT);
    const read = world.submit('read', 0);
    world.peer.automatic = true;
    world.connect();
    world.run(100, 'disk works');
    expect([first, second, read].map((id) => world.answer(id))).toEqual(['ok', 'ok', 'ok']);
    expect(world.buffers.get(read)?.every((byte) => byte === 0x77)).toBe(true);
    const stored = new DataView(world.disk.bytes.buffer).getUint32(LOCALOFF + 5 * EXTENT, true);
    expect(stored).toBe(second);
  });

  it('a read that the peer could not finish is held, too', () => {
    const world = outOfDate();
    world.connect();
    const read = world.submit('read', 0);
    world.run(5);
    world.peer.drop();
    world.run(5, 'disk works');
    expect(world.answer(read)).toBeNull();
    world.peer.automatic = true;
    world.run(5_000, 'disk works');
    expect(world.answer(read)).toBe('ok');
  });

  it('a read that the peer refuses fails', () => {
    const world = outOfDate();
    world.connect();
    const read = world.submit('read', 0);
    world.run(5);
    const request = world.peer.requests.find(({ length }) => length === SECTOR);
    if (request === undefined) throw new Error('it was not asked');
    world.peer.reply(request, { error: 'ENXIO' });
    world.run(5);
    expect(world.answer(read)).toBe('EIO');
    expect(world.parts.link.session).not.toBeNull();
  });
});

describe('READ', () => {
  it('W27: goes to the peer for just those extents that are newer there', () => {
    const world = outOfDate();
    world.connect();
    const here = world.submit('read', 3 * EXTENT);
    const there = world.submit('read', 0);
    expect(world.disk.orders.map(({ offset }) => offset - LOCALOFF)).toEqual([3 * EXTENT]);
    world.disk.completeAll();
    expect(world.answer(here)).toBe('ok');
    world.run(5);
    for (const request of [...world.peer.requests]) world.peer.execute(request);
    world.run(5);
    expect(world.answer(there)).toBe('ok');
  });

  it('W18: is divided where bytes are bad here', () => {
    const world = new PrimaryBench({
      maxRequestBytes: 8 * SECTOR,
      metadata: { localBad: [{ offset: SECTOR, length: SECTOR }] },
    });
    world.peer.image.fill(0x55);
    world.connect();
    const read = world.submit('read', 0, 4 * SECTOR);
    expect(
      world.disk.orders.map(({ offset, length }) => [(offset - LOCALOFF) / SECTOR, length / SECTOR]),
    ).toEqual([
      [0, 1],
      [2, 2],
    ]);
    world.disk.completeAll();
    world.peer.automatic = true;
    for (const request of [...world.peer.requests]) world.peer.execute(request);
    world.run(10, 'disk works');
    expect(world.answer(read)).toBe('ok');
    const data = world.buffers.get(read);
    expect([0, 1, 2, 3].map((sector) => data?.[sector * SECTOR])).toEqual([0, 0x55, 0, 0]);
  });

  it('D10: a bad sector is read from the peer', () => {
    const world = alone({ bits: [] });
    world.peer.image.fill(0x55);
    world.connect();
    const read = world.submit('read', 0);
    const [order] = world.disk.orders;
    if (order !== undefined) world.disk.complete(order, 'EIO');
    world.run(5);
    world.peer.automatic = true;
    for (const request of [...world.peer.requests]) world.peer.execute(request);
    world.run(10, 'disk works');
    expect(world.answer(read)).toBe('ok');
    expect(world.buffers.get(read)?.[0]).toBe(0x55);
    expect(world.parts.statistics.counts().readErrors).toBe(1);
  });

  it('D11, W40: alone it is EIO; so it is when the peer lacks writes of the extent', () => {
    const world = alone({ bits: [] });
    const read = world.submit('read', 0);
    const [order] = world.disk.orders;
    if (order !== undefined) world.disk.complete(order, 'ENXIO');
    expect(world.answer(read)).toBe('EIO');

    const behind = alone({ bits: [1] });
    behind.connect();
    const again = behind.submit('read', 0);
    const [mine] = behind.disk.orders.filter(
      ({ operation, length }) => operation === 'read' && length === SECTOR,
    );
    if (mine !== undefined) behind.disk.complete(mine, 'EIO');
    expect(behind.answer(again)).toBe('EIO');
  });

  it('a verdict that comes while the disk reads counts: the bytes are not the newest', () => {
    const world = outOfDate({ metadata: {} });
    world.peer.map = new Uint8Array(SECTOR).fill(1);
    const read = world.submit('read', 0);
    const slow = world.disk.orders.filter(({ operation }) => operation === 'read');
    expect(slow).toHaveLength(1);
    world.turn(() => world.parts.link.connect());
    world.run(30);
    for (const order of world.disk.orders.filter((one) => !slow.includes(one))) world.disk.complete(order);
    world.run(30);
    for (const order of world.disk.orders.filter((one) => !slow.includes(one))) world.disk.complete(order);
    world.run(5);
    expect(world.parts.truth.outOfDate).toBe(true);
    for (const order of slow) world.disk.complete(order);
    expect(world.answer(read)).toBeNull();
    world.peer.automatic = true;
    for (const request of [...world.peer.requests]) world.peer.execute(request);
    world.run(50, 'disk works');
    expect(world.answer(read)).toBe('ok');
    expect(world.buffers.get(read)?.[0]).toBe(0x77);
  });
});
