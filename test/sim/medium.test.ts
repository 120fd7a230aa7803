import { describe, expect, it } from 'vitest';
import type { MediumObserver, SimMedium } from '../../sim/medium.js';
import { DiskWorld, filled, SECTOR } from './disk-world.js';

function watched(world: DiskWorld): string[] {
  const seen: string[] = [];
  const say = (what: string, offset: number, length: number): void => {
    seen.push(`${what} ${String(offset / SECTOR)}+${String(length / SECTOR)}`);
  };
  const observer: MediumObserver = {
    writeStarted: (offset, length, source) => {
      say(source === null ? 'delete' : `write of ${String(source[0])}`, offset, length);
    },
    written: (offset, length) => {
      say('written', offset, length);
    },
    writeEnded: (offset, length) => {
      say('ended', offset, length);
    },
    flushed: () => seen.push('flushed'),
    lostPower: () => seen.push('dark'),
  };
  world.medium.observer = observer;
  return seen;
}

describe('medium: observer', () => {
  it('hears of writes when they start and where they land', () => {
    const world = new DiskWorld();
    const seen = watched(world);
    world.write(1, 2, 5);
    world.delete(2, 2);
    world.read(0, 4);
    world.flush();
    world.medium.misdirect({ to: 30 * SECTOR });
    world.write(1, 2, 6);
    world.medium.losePower();
    expect(seen).toEqual([
      ...['write of 5 1+2', 'written 1+2', 'ended 1+2', 'delete 2+2', 'written 2+2', 'ended 2+2'],
      ...['flushed', 'write of 6 1+2', 'written 30+2', 'ended 1+2', 'dark'],
    ]);
  });

  it('does not hear of what did not happen', () => {
    const world = new DiskWorld();
    const seen = watched(world);
    world.medium.inject({ operation: 'write', code: 'EIO', times: 'once', offset: 2 * SECTOR });
    world.write(1, 3, 5);
    world.medium.inject({ operation: 'flush', code: 'EIO', times: 'once' });
    world.flush();
    world.medium.lie();
    world.flush();
    expect(seen).toEqual(['write of 5 1+3', 'written 1+1', 'ended 1+3']);
  });

  it('hears of what a crash left of a write', () => {
    for (let seed = 0; seed < 30; seed++) {
      const world = new DiskWorld(seed);
      const seen = watched(world);
      world.owner.run(() => {
        world.disk.write(0, filled(4, 5), () => undefined);
      });
      if (seed % 2 === 0) world.owner.kill();
      else world.owner.losePower();
      const told = new Set(
        seen.slice(1).flatMap((line) => {
          const [first = 0, length = 0] = line.replace('written ', '').split('+').map(Number);
          return Array.from({ length }, (_, i) => first + i);
        }),
      );
      for (let i = 0; i < 4; i++) expect(told.has(i)).toBe(world.medium.visible[i * SECTOR] === 5);
    }
  });
});

describe('medium: views', () => {
  it('of 32 bits show the same bytes', () => {
    const world = new DiskWorld();
    world.write(3, 1, 0xab);
    world.flush();
    world.write(3, 1, 0xcd);
    const at = (3 * SECTOR) / 4;
    expect(world.medium.visibleWords[at]).toBe(0xcdcdcdcd);
    expect(world.medium.durableWords[at]).toBe(0xabababab);
    expect(world.medium.visibleWords).toHaveLength(world.medium.mediaSize / 4);
  });
});

describe('medium: metadata version', () => {
  const changes: readonly [string, (medium: SimMedium, world: DiskWorld) => void, boolean][] = [
    ['a write', (_, world) => world.write(7, 1, 1), true],
    ['a write behind the block', (_, world) => world.write(8, 1, 1), false],
    ['a write to its end and beyond', (_, world) => world.write(6, 8, 1), true],
    ['a read', (_, world) => world.read(0, 8), false],
    ['a flush of nothing', (_, world) => world.flush(), false],
    ['an imprint', (medium) => medium.imprint(0, filled(8, 1)), true],
    ['an imprint behind it', (medium) => medium.imprint(4096, filled(8, 1)), false],
    ['a power failure', (medium) => medium.losePower(), true],
    ['a flipped bit', (medium) => medium.corrupt(4095, 1), true],
    ['a flipped bit behind it', (medium) => medium.corrupt(4096, 1), false],
    ['a bad sector', (medium) => medium.corruptSector(0), true],
    ['another medium', (medium) => medium.restore(medium.snapshot()), true],
  ];
  it.each(changes)('%s', (_, change, changed) => {
    const world = new DiskWorld();
    const { visibleMetadataVersion: before } = world.medium;
    change(world.medium, world);
    expect(world.medium.visibleMetadataVersion > before).toBe(changed);
  });

  it('goes up when the block becomes durable', () => {
    const world = new DiskWorld();
    world.write(0, 8, 1);
    const { visibleMetadataVersion: visible, durableMetadataVersion: durable } = world.medium;
    world.flush();
    expect(world.medium.durableMetadataVersion).toBeGreaterThan(durable);
    expect(world.medium.visibleMetadataVersion).toBe(visible);
  });
});

describe('medium: imprint', () => {
  it('is durable at once, whatever was in the cache', () => {
    for (let seed = 0; seed < 20; seed++) {
      const world = new DiskWorld(seed);
      world.write(0, 4, 1);
      world.medium.imprint(SECTOR, filled(2, 9));
      world.losePower();
      expect([world.medium.visible[SECTOR], world.medium.visible[2 * SECTOR]]).toEqual([9, 9]);
    }
  });
});
