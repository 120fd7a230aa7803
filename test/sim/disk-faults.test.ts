import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../core/base/bytes.js';
import { DiskWorld, filled, SECTOR, SECTORS, sectorsOf } from './disk-world.js';

const EIO = { code: 'EIO' };

describe('disk faults: operations that fail', () => {
  it('those of one kind in a range, once; what lies before it is transferred', () => {
    const world = new DiskWorld();
    world.medium.inject({
      operation: 'write',
      code: 'EIO',
      times: 'once',
      offset: 2 * SECTOR,
      length: SECTOR,
    });
    expect(world.write(4, 1, 1)).toBeNull();
    expect(world.write(0, 4, 1)).toMatchObject(EIO);
    expect(sectorsOf(world.medium.visible).slice(0, 5)).toEqual([1, 1, 0, 0, 1]);
    expect(world.write(0, 4, 1)).toBeNull();
  });

  it('so many times, or until the removal', () => {
    const world = new DiskWorld();
    const repair = world.medium.inject({ operation: 'read', code: 'EIO', times: 'always' });
    for (let i = 0; i < 5; i++) expect(world.read(i, 1)).toMatchObject(EIO);
    repair();
    repair();
    expect(world.read(0, 1)).toEqual([0]);

    world.medium.inject({ operation: 'write', code: 'ENOSPC', times: 3 });
    for (let i = 0; i < 3; i++) expect(world.write(0, 1, 1)).toMatchObject({ code: 'ENOSPC' });
    expect(world.write(0, 1, 1)).toBeNull();
  });

  it('a bad sector until it is written', () => {
    const world = new DiskWorld();
    const bad = { operation: 'read', code: 'EIO', times: 'always', untilWritten: true } as const;
    const repair = world.medium.inject({ ...bad, offset: SECTOR, length: 3 * SECTOR });
    expect(world.read(2, 1)).toMatchObject(EIO);
    world.write(2, 1, 7);
    expect(world.read(2, 1)).toEqual([7]);
    for (const sector of [1, 3]) expect(world.read(sector, 1)).toMatchObject(EIO);
    world.write(0, 2, 8);
    expect(world.read(0, 3)).toEqual([8, 8, 7]);
    expect(world.read(3, 1)).toMatchObject(EIO);
    repair();
    expect(world.read(3, 1)).toEqual([0]);
  });

  it('deletes, too', () => {
    const world = new DiskWorld();
    world.write(0, 4, 1);
    world.medium.inject({ operation: 'delete', code: 'EOPNOTSUPP', times: 'once' });
    expect(world.delete(0, 2)).toMatchObject({ code: 'EOPNOTSUPP' });
    expect(world.delete(1, 2)).toBeNull();
    expect(world.read(0, 4)).toEqual([1, 0, 0, 1]);
  });

  it('a removal ends its own fault only', () => {
    const world = new DiskWorld();
    const fault = { operation: 'write', code: 'EIO', times: 'always' } as const;
    const first = world.medium.inject({ ...fault, offset: 0, length: SECTOR });
    world.medium.inject({ ...fault, offset: SECTOR, length: SECTOR });
    first();
    expect(world.write(0, 1, 1)).toBeNull();
    expect(world.write(1, 1, 1)).toMatchObject(EIO);
    world.medium.repairAll();
    expect(world.write(1, 1, 1)).toBeNull();
  });
});

describe('disk faults: flushes', () => {
  it.each(['EIO', 'EOPNOTSUPP'] as const)('one that fails with %s makes nothing durable', (code) => {
    const world = new DiskWorld();
    world.write(0, 1, 1);
    world.medium.inject({ operation: 'flush', code, times: 'once' });
    expect(world.flush()).toMatchObject({ code });
    expect(world.medium.durable[0]).toBe(0);
    expect(world.flush()).toBeNull();
    expect(world.medium.durable[0]).toBe(1);
  });

  it('one that lies makes nothing durable either, until an honest one comes', () => {
    const lost = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      const world = new DiskWorld(seed);
      const repair = world.medium.lie();
      world.write(0, 2, 1);
      expect(world.flush()).toBeNull();
      expect(world.medium.durable[0]).toBe(0);
      world.losePower();
      lost.add(world.medium.visible[0] ?? -1);
      repair();
      world.write(0, 2, 2);
      expect(world.flush()).toBeNull();
      expect(world.medium.durable[0]).toBe(2);
    }
    expect(lost).toEqual(new Set([0, 1]));
  });
});

describe('disk faults: time', () => {
  it('slow operations take longer, those of another range do not', () => {
    const world = new DiskWorld();
    const { scheduler, medium } = world;
    const end = medium.slow({ operation: 'write', delayMs: 500, offset: 0, length: SECTOR });
    world.write(1, 1, 1);
    expect(scheduler.nowMs).toBeLessThan(10);
    world.write(0, 1, 1);
    expect(scheduler.nowMs).toBeGreaterThan(500);
    const before = scheduler.nowMs;
    end();
    world.write(0, 1, 1);
    expect(scheduler.nowMs - before).toBeLessThan(10);
  });

  it('a stuck medium completes nothing, and everything once it goes on', () => {
    const { scheduler, medium, owner, disk } = new DiskWorld();
    const seen: string[] = [];
    owner.run(() => {
      disk.write(0, filled(1, 1), () => seen.push('first'));
    });
    const ends = [medium.stick(), medium.stick()];
    owner.run(() => {
      disk.flush(() => seen.push('second'));
    });
    scheduler.runFor(100_000);
    ends[0]?.();
    scheduler.runFor(100_000);
    expect([seen, medium.visible[0]]).toEqual([[], 0]);
    ends[1]?.();
    scheduler.runFor(10);
    expect(seen.sort()).toEqual(['first', 'second']);
    expect(medium.visible[0]).toBe(1);
  });

  it('what a dead process had on a stuck medium is not carried out later', () => {
    const { scheduler, medium, owner, disk } = new DiskWorld();
    const end = medium.stick();
    owner.run(() => {
      disk.write(0, filled(8, 1), () => undefined);
    });
    scheduler.runFor(100);
    owner.kill();
    const before = medium.visible.slice();
    end();
    scheduler.runUntilIdle();
    expect(sameBytes(medium.visible, before)).toBe(true);
  });
});

describe('disk faults: places', () => {
  it('a misdirected write lands elsewhere, says that all is well, and is the only one', () => {
    const world = new DiskWorld();
    world.medium.misdirect({ offset: 4 * SECTOR, length: 4 * SECTOR, to: 20 * SECTOR });
    expect(world.write(0, 2, 1)).toBeNull();
    expect(world.write(5, 2, 2)).toBeNull();
    expect(world.write(6, 2, 3)).toBeNull();
    const expected = new Array<number>(SECTORS).fill(0);
    expected.splice(0, 2, 1, 1);
    expected.splice(6, 2, 3, 3);
    expected.splice(20, 2, 2, 2);
    expect(sectorsOf(world.medium.visible)).toEqual(expected);
    world.medium.misdirect({ to: (SECTORS - 1) * SECTOR });
    world.write(0, 4, 4);
    expect(sectorsOf(world.medium.visible).slice(-4)).toEqual([4, 4, 4, 4]);
  });

  it('a medium that got smaller fails behind its end, and says so to the next who opens it', () => {
    const world = new DiskWorld();
    world.write(0, SECTORS, 1);
    const grow = world.medium.shrink(10 * SECTOR);
    expect(world.write(9, 1, 2)).toBeNull();
    expect(world.write(9, 2, 3)).toMatchObject(EIO);
    expect(world.read(10, 1)).toMatchObject(EIO);
    expect(world.flush()).toBeNull();
    expect(world.disk.mediaSize).toBe(SECTORS * SECTOR);
    world.reopen();
    expect(world.disk.mediaSize).toBe(10 * SECTOR);
    expect(world.read(8, 2)).toEqual([1, 3]);
    grow();
    world.reopen();
    expect(world.read(9, 2)).toEqual([3, 1]);
  });
});

describe('disk faults: damage', () => {
  it('one bit: what is read and what is durable differ from what was written there only', () => {
    const world = new DiskWorld();
    world.write(0, SECTORS, 1);
    world.flush();
    const before = world.medium.visible.slice();
    for (const offset of [3, 512, 1030, 4097]) {
      for (const bit of [0, 5, 7]) {
        world.medium.corrupt(offset, bit);
        before[offset] = (before[offset] ?? 0) ^ (1 << bit);
        expect(sameBytes(world.medium.visible, before)).toBe(true);
        expect(sameBytes(world.medium.durable, before)).toBe(true);
      }
    }
    world.write(0, 1, 1);
    expect(sectorsOf(world.medium.visible.subarray(0, SECTOR))).toEqual([1]);
  });

  it('a sector: no byte of it is as it was, all others are', () => {
    const world = new DiskWorld();
    world.write(0, SECTORS, 9);
    world.flush();
    world.medium.corruptSector(3 * SECTOR + 100);
    world.medium.visible.forEach((byte, at) => {
      if ((byte !== 9) !== (Math.floor(at / SECTOR) === 3)) throw new Error(`byte ${String(at)}`);
    });
    expect(sameBytes(world.medium.durable, world.medium.visible)).toBe(true);
  });

  it('an old snapshot, or the disk of another node, in its place', () => {
    const world = new DiskWorld();
    world.write(0, 8, 1);
    const old = world.medium.snapshot();
    world.write(0, 8, 2);
    world.flush();
    world.write(4, 8, 3);
    world.losePower();
    world.medium.restore(old);
    expect(world.read(0, 12)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    world.losePower();
    expect(world.read(0, 9)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0]);
  });
});
