import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../core/base/bytes.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { DiskWorld, filled, SECTOR, SECTORS, sectorsOf } from './disk-world.js';

describe('disk: power failure', () => {
  it('keeps what was flushed and any subset of the rest, torn at sectors only', () => {
    const outcomes = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new DiskWorld(seed);
      world.write(0, 8, 1);
      world.flush();
      world.write(4, 8, 2);
      world.losePower();
      const { medium } = world;
      const sectors = sectorsOf(medium.visible);
      expect(sectors.slice(0, 4)).toEqual([1, 1, 1, 1]);
      for (const value of sectors.slice(4, 8)) expect([1, 2]).toContain(value);
      for (const value of sectors.slice(8, 12)) expect([0, 2]).toContain(value);
      expect(sameBytes(medium.durable, medium.visible)).toBe(true);
      outcomes.add(sectors.filter((value) => value === 2).length);
    }
    expect(outcomes).toContain(0);
    expect(outcomes).toContain(8);
    expect(outcomes.size).toBeGreaterThan(4);
  });

  it('a flush covers what completed before it, and later writes to the same sectors do not undo it', () => {
    for (let seed = 0; seed < 60; seed++) {
      const world = new DiskWorld(seed);
      const { scheduler, medium, owner, disk } = world;
      world.write(0, 4, 1);
      let flushed = false;
      owner.run(() => {
        disk.flush(() => {
          flushed = true;
        });
        disk.write(0, filled(4, 2), () => undefined);
      });
      scheduler.runUntil(() => flushed, 1000);
      world.losePower();
      for (const value of sectorsOf(medium.visible).slice(0, 4)) expect([1, 2]).toContain(value);
    }
  });

  it('keeps what was written durably, and need not keep what was written beside it', () => {
    const beside = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new DiskWorld(seed);
      world.write(0, 8, 1);
      const writes = [2, 5].map((sector) => ({ offset: sector * SECTOR, source: filled(1, 2) }));
      expect(world.outcome((done) => world.disk.writeAll(writes, true, done))).toBeNull();
      world.losePower();
      const sectors = sectorsOf(world.medium.visible);
      expect([sectors[2], sectors[5]]).toEqual([2, 2]);
      beside.add(sectors[3] ?? -1);
    }
    expect([...beside].sort()).toEqual([0, 1]);
  });

  it('says so when what is written durably cannot be made durable, and never that a write is not supported', () => {
    const world = new DiskWorld();
    const store = (durably: boolean): string | null => {
      const writes = [{ offset: 0, source: filled(1, 2) }];
      return world.outcome((done) => world.disk.writeAll(writes, durably, done))?.code ?? null;
    };
    const repair = world.medium.inject({ operation: 'flush', code: 'EOPNOTSUPP', times: 'always' });
    expect([store(true), store(false)]).toEqual(['EOPNOTSUPP', null]);
    repair();
    world.medium.inject({ operation: 'write', code: 'EOPNOTSUPP', times: 'always' });
    expect([store(true), store(false)]).toEqual(['EIO', 'EIO']);
  });

  it('may keep an older version of a sector written twice', () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new DiskWorld(seed);
      world.write(0, 1, 1);
      world.write(0, 1, 2);
      world.losePower();
      kept.add(world.medium.visible[0] ?? -1);
    }
    expect([...kept].sort()).toEqual([0, 1, 2]);
  });
});

describe('disk: process crash', () => {
  it('completes nothing, and the write under way has happened, has not, or stopped at a sector', () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const { scheduler, medium, owner, disk } = new DiskWorld(seed);
      owner.run(() => {
        disk.write(0, filled(8, 1), () => {
          throw new Error('a dead process completes nothing');
        });
      });
      owner.kill();
      scheduler.runUntilIdle();
      const sectors = sectorsOf(medium.visible);
      const count = sectors.filter((value) => value === 1).length;
      expect(sectors.slice(0, count)).toEqual(new Array(count).fill(1));
      counts.add(count);
    }
    expect(counts).toContain(0);
    expect(counts).toContain(8);
    expect(counts.size).toBeGreaterThan(2);
  });

  it('keeps the page cache: completed writes are there for the next process', () => {
    const world = new DiskWorld();
    world.write(0, 1, 7);
    world.owner.kill();
    world.reopen();
    expect(world.read(0, 1)).toEqual([7]);
  });

  it('of two processes hurts only the operations of one', () => {
    const { scheduler, medium, owner, disk } = new DiskWorld();
    const other = new SimProcess('other');
    const seen: string[] = [];
    other.run(() => {
      medium.open(scheduler, other).write(0, filled(1, 3), () => seen.push('other'));
    });
    owner.run(() => {
      disk.read(0, filled(1, 0), () => seen.push('owner'));
    });
    owner.kill();
    scheduler.runUntilIdle();
    expect([seen, medium.visible[0]]).toEqual([['other'], 3]);
  });
});

describe('disk: any order of writes and flushes', () => {
  it('each sector survives a power failure as it was flushed, or as anything written to it since', () => {
    for (let seed = 0; seed < 200; seed++) {
      const world = new DiskWorld(seed);
      const { scheduler, owner, disk, medium } = world;
      const random = new Random(seed, 'operations');
      /** By sector: what may survive, and when it was on the medium; the last one is visible. */
      const versions = Array.from({ length: SECTORS }, () => [{ value: 0, at: 0 }]);
      let now = 1;
      const step = (): void => {
        const startedAt = now++;
        if (random.chance(1, 4)) {
          disk.flush(() => {
            for (const of of versions) {
              const kept = of.findLastIndex(({ at }) => at < startedAt);
              of.splice(0, kept);
            }
          });
          return;
        }
        const sectors = 1 + random.below(6);
        const first = random.below(SECTORS - sectors);
        const value = 1 + random.below(250);
        const deletes = random.chance(1, 8);
        const done = (): void => {
          for (const of of versions.slice(first, first + sectors))
            of.push({ value: deletes ? 0 : value, at: now });
          now++;
        };
        if (deletes) disk.delete(first * SECTOR, sectors * SECTOR, done);
        else disk.write(first * SECTOR, filled(sectors, value), done);
      };
      for (let i = 0; i < 40; i++) {
        owner.run(step);
        scheduler.runFor(random.below(3));
      }
      scheduler.runUntilIdle();
      expect(sectorsOf(medium.visible)).toEqual(versions.map((of) => of.at(-1)?.value));
      world.losePower();
      const wrong = sectorsOf(medium.visible).filter(
        (found, sector) => versions[sector]?.some(({ value }) => value === found) !== true,
      );
      expect(wrong).toEqual([]);
    }
  });
});

describe('disk: close', () => {
  it('waits for what is under way', () => {
    const { scheduler, medium, owner, disk } = new DiskWorld();
    const seen: string[] = [];
    owner.run(() => {
      disk.write(0, filled(1, 1), () => seen.push('written'));
      disk.flush(() => seen.push('flushed'));
      disk.close(() => seen.push('closed'));
    });
    scheduler.runUntilIdle();
    expect(seen.sort()).toEqual(['closed', 'flushed', 'written']);
    expect(medium.visible[0]).toBe(1);
  });
});
