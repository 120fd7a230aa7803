import { describe, expect, it } from 'vitest';
import { Activemap } from '../../core/activemap/activemap.js';
import { MapStore, type MapWaiter } from '../../core/activemap/map-store.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import type { PortError } from '../../core/ports/error.js';
import { SimProcess } from '../../sim/process.js';
import { SimLog } from '../../sim/log.js';
import { ManualDisk } from '../../properties/request/manual-disk.js';

const EXTENT = 4096;
const EXTENTS = 32_768;
const MAP_BYTES = 4096;

class Waiter implements MapWaiter {
  readonly heard: (string | null)[] = [];

  mapPersisted(error: PortError | null): void {
    this.heard.push(error?.code ?? null);
  }
}

function extents(first: number, last = first): { first: number; last: number } {
  return { first, last };
}

/** A map of eight sectors or less, nothing dirty. */
class World {
  readonly process = new SimProcess('worker');
  readonly log = new SimLog();
  readonly disk: ManualDisk;
  readonly map = new Activemap({
    datasize: EXTENTS * EXTENT,
    extentsize: EXTENT,
    keepdirty: 2,
    mapBytes: MAP_BYTES,
  });
  readonly store: MapStore;

  /** `stray`: extents whose bits the medium has, although they are clean. */
  constructor({ sectorSize = 512, stray = [] }: { sectorSize?: number; stray?: number[] } = {}) {
    const run = (callback: () => void): void => {
      this.process.run(callback);
    };
    this.disk = new ManualDisk(METADATA_BYTES + MAP_BYTES + EXTENT, run, sectorSize);
    const { disk, log } = this;
    const durable = new Uint8Array(MAP_BYTES);
    for (const extent of stray) durable[extent >> 3] = (durable[extent >> 3] ?? 0) | (1 << (extent & 7));
    const { turns } = this.process;
    this.store = new MapStore({ disk, turns, log }, this.map, { durable, metaflush: true });
  }

  turn(callback: () => void): void {
    this.process.run(callback);
  }

  /** Marks an extent in a turn of its own. */
  write(extent: number): Waiter {
    const waiter = new Waiter();
    this.turn(() => {
      this.map.writeStarted(extents(extent));
      this.store.persist(waiter);
    });
    return waiter;
  }

  complete(code: string | null = null): void {
    const [order] = this.disk.orders;
    if (order === undefined) throw new Error('nothing was asked of the disk');
    this.disk.complete(order, code);
  }

  operations(): string[] {
    return this.disk.orders.map(({ operation, offset, length }) =>
      operation === 'flush' ? 'flush' : `${operation} ${String(length)} at ${String(offset)}`,
    );
  }

  bit(extent: number): boolean {
    return ((this.disk.bytes[METADATA_BYTES + (extent >> 3)] ?? 0) & (1 << (extent & 7))) !== 0;
  }
}

describe('map store', () => {
  it('tells when the bits are written and flushed, not earlier (I10)', () => {
    const world = new World();
    const waiter = world.write(3);
    expect(world.operations()).toEqual(['write 512 at 4096']);
    world.complete();
    expect(waiter.heard).toEqual([]);
    expect(world.store.holds(extents(3))).toBe(false);
    expect(world.operations()).toEqual(['flush']);
    world.complete();
    expect(waiter.heard).toEqual([null]);
    expect(world.store.holds(extents(3))).toBe(true);
    expect(world.bit(3)).toBe(true);
    expect(world.store.updates).toBe(1);
  });

  it('stores everything of one turn with one write and one flush', () => {
    const world = new World();
    const waiters = [new Waiter(), new Waiter()];
    world.turn(() => {
      for (const [i, waiter] of waiters.entries()) {
        world.map.writeStarted(extents(i * 10));
        world.store.persist(waiter);
      }
    });
    world.disk.completeAll();
    expect(waiters.map(({ heard }) => heard)).toEqual([[null], [null]]);
    expect(world.store.updates).toBe(1);
  });

  it('writes only the sectors that changed, neighbours as one, with one flush (W37)', () => {
    const world = new World();
    const sectorOf = (extent: number): string =>
      `write 512 at ${String(METADATA_BYTES + Math.floor(extent / 4096) * 512)}`;
    world.write(5000);
    expect(world.operations()).toEqual([sectorOf(5000)]);
    world.disk.completeAll();
    world.turn(() => {
      for (const extent of [30_000, 1, 12_300, 8200]) world.map.writeStarted(extents(extent));
      world.store.persist(null);
    });
    const middle = `write 1024 at ${String(METADATA_BYTES + 1024)}`;
    expect(world.operations()).toEqual([sectorOf(1), middle, sectorOf(30_000)]);
    for (let i = 0; i < 3; i++) world.complete();
    expect(world.operations()).toEqual(['flush']);
    world.complete();
    for (const extent of [1, 8200, 12_300, 30_000]) expect(world.store.holds(extents(extent))).toBe(true);
    expect(world.store.updates).toBe(2);
  });

  it('stores in whole sectors of the disk, and brings the medium up to date wherever it differed at the start', () => {
    const world = new World({ sectorSize: 1024, stray: [2, 4095, 4097] });
    world.write(1);
    expect(world.operations()).toEqual([`write 1024 at ${String(METADATA_BYTES)}`]);
    world.disk.completeAll();
    world.write(20_000);
    expect(world.operations()).toEqual([`write 1024 at ${String(METADATA_BYTES + 2048)}`]);
  });

  it('stores what comes during a write with the next one', () => {
    const world = new World();
    const first = world.write(1);
    const second = world.write(2);
    expect(world.operations()).toHaveLength(1);
    world.complete();
    world.complete();
    expect([first.heard, second.heard]).toEqual([[null], []]);
    world.disk.completeAll();
    expect(second.heard).toEqual([null]);
    expect(world.bit(2)).toBe(true);
  });

  it('answers at the end of the turn when the medium has the bits already', () => {
    const world = new World();
    world.write(1);
    world.disk.completeAll();
    const again = world.write(1);
    expect(again.heard).toEqual([null]);
    expect(world.disk.orders).toEqual([]);
    expect(world.store.updates).toBe(1);
  });

  it('does not vouch for a bit that a write in progress takes away', () => {
    const world = new World();
    world.write(1);
    world.disk.completeAll();
    world.turn(() => {
      world.map.writeFinished(extents(1));
      world.map.flushed(world.map.flushStarted());
      for (const other of [2, 3]) world.map.writeStarted(extents(other));
      world.store.persist(null);
    });
    expect(world.store.holds(extents(1))).toBe(false);
    world.disk.completeAll();
    expect(world.bit(1)).toBe(false);
  });

  it('tells everybody who waited about a failed write, and counts on nothing it should have stored (W14)', () => {
    const world = new World();
    const waiters = [world.write(1), world.write(2)];
    world.complete('EIO');
    expect(waiters.map(({ heard }) => heard)).toEqual([['EIO'], []]);
    expect(world.store.writeErrors).toBe(1);
    expect(world.store.holds(extents(1))).toBe(false);
    expect(world.log.lines[0]?.text).toBe('Unable to store the activemap: write failed.');
    // The next one writes it all again.
    world.disk.completeAll();
    expect(waiters[1]?.heard).toEqual([null]);
    expect(world.store.holds(extents(1, 2))).toBe(true);
  });

  it('takes a failed flush for a failed write (W14)', () => {
    const world = new World();
    const waiter = world.write(1);
    world.complete();
    world.complete('EIO');
    expect(waiter.heard).toEqual(['EIO']);
    expect(world.store.writeErrors).toBe(1);
    expect(world.store.holds(extents(1))).toBe(false);
    const again = world.write(1);
    expect(world.operations()).toEqual(['write 512 at 4096']);
    world.disk.completeAll();
    expect(again.heard).toEqual([null]);
  });

  it('relies on no bit that a failed write may have taken away', () => {
    const world = new World();
    world.write(1);
    world.disk.completeAll();
    world.turn(() => {
      world.map.writeFinished(extents(1));
      world.map.flushed(world.map.flushStarted());
      for (const other of [2, 3]) world.map.writeStarted(extents(other));
      world.store.persist(null);
    });
    world.complete('EIO');
    expect(world.store.holds(extents(1))).toBe(false);
  });

  it('does without flushes where the medium knows none, and says so once (D8)', () => {
    const world = new World();
    const waiter = world.write(1);
    world.complete();
    world.complete('EOPNOTSUPP');
    expect(waiter.heard).toEqual([null]);
    expect(world.store.metaflush).toBe(false);
    expect(world.log.lines.map(({ level }) => level)).toEqual(['warning']);
    const next = world.write(2);
    world.complete();
    expect(next.heard).toEqual([null]);
    expect(world.disk.orders).toEqual([]);
  });

  it('does without flushes when metaflush is off', () => {
    const world = new World();
    world.store.metaflush = false;
    const waiter = world.write(1);
    world.complete();
    expect(waiter.heard).toEqual([null]);
  });

  it('bears a waiter that asks again from inside its answer', () => {
    const world = new World();
    const last = new Waiter();
    world.turn(() => {
      world.map.writeStarted(extents(1));
      world.store.persist({
        mapPersisted: () => {
          world.map.writeStarted(extents(9));
          world.store.persist(last);
        },
      });
    });
    world.disk.completeAll();
    expect(last.heard).toEqual([null]);
    expect(world.bit(9)).toBe(true);
  });
});
