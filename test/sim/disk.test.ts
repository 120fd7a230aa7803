import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../core/base/bytes.js';
import type { PortError } from '../../core/ports/error.js';
import { SimMedium } from '../../sim/medium.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

const SECTORS = 64;
const SECTOR = 512;

function world(seed: number) {
  const scheduler = new Scheduler();
  const medium = new SimMedium(new Random(seed, 'disk'), { mediaSize: SECTORS * SECTOR });
  const owner = new SimProcess('worker');
  const disk = medium.open(scheduler, owner);
  const outcome = (start: (done: (error: PortError | null) => void) => void): PortError | null => {
    let result: PortError | null | undefined;
    owner.run(() => {
      start((error) => {
        result = error;
      });
    });
    scheduler.runUntilIdle();
    if (result === undefined) throw new Error('not completed');
    return result;
  };
  return { scheduler, medium, owner, disk, outcome };
}

const filled = (sectors: number, value: number): Uint8Array => new Uint8Array(sectors * SECTOR).fill(value);

/** The first byte of every sector. */
const sectorsOf = (image: Uint8Array): number[] =>
  Array.from({ length: SECTORS }, (_, i) => image[i * SECTOR] ?? -1);

describe('disk: power failure', () => {
  it('keeps what was flushed and any subset of the rest, torn at sectors only', () => {
    const outcomes = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const { medium, owner, disk, outcome } = world(seed);
      outcome((done) => disk.write(0, filled(8, 1), done));
      outcome((done) => disk.flush(done));
      outcome((done) => disk.write(4 * SECTOR, filled(8, 2), done));
      owner.losePower();
      medium.losePower();
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
      const { scheduler, medium, owner, disk, outcome } = world(seed);
      outcome((done) => disk.write(0, filled(4, 1), done));
      let flushed = false;
      owner.run(() => {
        disk.flush(() => {
          flushed = true;
        });
        disk.write(0, filled(4, 2), () => undefined);
      });
      scheduler.runUntil(() => flushed, 1000);
      owner.losePower();
      medium.losePower();
      for (const value of sectorsOf(medium.visible).slice(0, 4)) expect([1, 2]).toContain(value);
    }
  });

  it('may keep an older version of a sector written twice', () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const { medium, owner, disk, outcome } = world(seed);
      outcome((done) => disk.write(0, filled(1, 1), done));
      outcome((done) => disk.write(0, filled(1, 2), done));
      owner.losePower();
      medium.losePower();
      kept.add(medium.visible[0] ?? -1);
    }
    expect([...kept].sort()).toEqual([0, 1, 2]);
  });
});

describe('disk: process crash', () => {
  it('completes nothing, and the write under way has happened, has not, or stopped at a sector', () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const { scheduler, medium, owner, disk } = world(seed);
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
    const { scheduler, medium, owner, disk, outcome } = world(1);
    outcome((done) => disk.write(0, filled(1, 7), done));
    owner.kill();
    const next = new SimProcess('next');
    const target = new Uint8Array(SECTOR);
    next.run(() => {
      medium.open(scheduler, next).read(0, target, () => undefined);
    });
    scheduler.runUntilIdle();
    expect(target).toEqual(filled(1, 7));
  });
});

describe('disk: injected faults', () => {
  it('fails the operations of one kind in a range, once or always', () => {
    const { medium, disk, outcome } = world(1);
    medium.inject({ operation: 'write', code: 'EIO', times: 'once', offset: 2 * SECTOR, length: SECTOR });
    expect(outcome((done) => disk.write(4 * SECTOR, filled(1, 1), done))).toBeNull();
    expect(outcome((done) => disk.write(0, filled(4, 1), done))).toMatchObject({ code: 'EIO' });
    expect(sectorsOf(medium.visible).slice(0, 5)).toEqual([1, 1, 0, 0, 1]);
    expect(outcome((done) => disk.write(0, filled(4, 1), done))).toBeNull();

    const repair = medium.inject({ operation: 'read', code: 'EIO', times: 'always' });
    expect(outcome((done) => disk.read(0, filled(1, 0), done))).toMatchObject({ code: 'EIO' });
    expect(outcome((done) => disk.read(0, filled(1, 0), done))).toMatchObject({ code: 'EIO' });
    repair();
    expect(outcome((done) => disk.read(0, filled(1, 0), done))).toBeNull();
  });

  it('a flush that fails or is not supported makes nothing durable', () => {
    for (const code of ['EIO', 'EOPNOTSUPP'] as const) {
      const { medium, disk, outcome } = world(1);
      medium.inject({ operation: 'flush', code, times: 'always' });
      outcome((done) => disk.write(0, filled(1, 1), done));
      expect(outcome((done) => disk.flush(done))).toMatchObject({ code });
      expect(medium.durable[0]).toBe(0);
    }
  });
});
