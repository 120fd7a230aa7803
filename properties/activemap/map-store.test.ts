import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Activemap } from '../../core/activemap/activemap.js';
import { MapStore } from '../../core/activemap/map-store.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { SimLog } from '../../sim/log.js';
import { SimProcess } from '../../sim/process.js';
import { ManualDisk } from '../request/manual-disk.js';

const EXTENT_BYTES = 4096;
const SECTOR_BYTES = 512;
const SECTORS = 8;
const MAP_BYTES = SECTORS * SECTOR_BYTES;
/** Two extents in each sector, far from each other and near. */
const EXTENTS = Array.from({ length: SECTORS }, (_, sector) => [sector * 4096, sector * 4096 + 9]).flat();

type Step =
  | { readonly kind: 'write' | 'finish' | 'flushed'; readonly which: number }
  | { readonly kind: 'complete'; readonly which: number; readonly code: 'EIO' | null };

/** A map that is stored on a medium whose content after a power failure is anything that it may be. */
class World {
  readonly process = new SimProcess('worker');
  readonly disk = new ManualDisk(METADATA_BYTES + MAP_BYTES + EXTENT_BYTES, (callback) => {
    this.process.run(callback);
  });
  readonly map = new Activemap({
    datasize: SECTORS * 4096 * EXTENT_BYTES,
    extentsize: EXTENT_BYTES,
    keepdirty: 2,
    mapBytes: MAP_BYTES,
  });
  readonly store = new MapStore({ disk: this.disk, turns: this.process.turns, log: new SimLog() }, this.map, {
    durable: new Uint8Array(MAP_BYTES),
    metaflush: true,
  });
  /** What each sector may hold after a power failure; the last one is what was written last. */
  readonly #versions = Array.from({ length: SECTORS }, (): Uint8Array[] => [new Uint8Array(SECTOR_BYTES)]);
  /** Issued, and not finished. */
  readonly #writing: number[] = [];
  told = 0;
  asked = 0;

  constructor() {
    this.disk.completed = ({ operation, offset, buffer }, code) => {
      if (operation === 'flush') {
        if (code === null) for (const versions of this.#versions) versions.splice(0, versions.length - 1);
        return;
      }
      for (const [sector, bytes] of sectorsOf(offset, buffer)) {
        const versions = this.#versions[sector];
        // A write that failed may have happened, or not; which of them it is stays open for ever.
        if (code === null) versions?.push(bytes);
        else versions?.unshift(bytes);
      }
    };
  }

  apply(step: Step): void {
    if (step.kind === 'complete') {
      const order = this.disk.orders[step.which % Math.max(1, this.disk.orders.length)];
      if (order !== undefined) this.disk.complete(order, step.code);
      return;
    }
    this.process.run(() => {
      if (step.kind === 'write') this.#write(EXTENTS[step.which % EXTENTS.length] ?? 0);
      else if (step.kind === 'finish') this.#finish(step.which);
      else {
        this.map.flushed(this.map.flushStarted());
        this.store.persist(null);
      }
    });
  }

  /** Every bit that the store vouches for survives whatever happens now. */
  check(): void {
    for (const extent of EXTENTS) {
      if (!this.store.holds({ first: extent, last: extent })) continue;
      const sector = extent >> 12;
      const underWay = this.disk.orders.flatMap(({ offset, buffer }) => sectorsOf(offset, buffer));
      const possible = [
        ...(this.#versions[sector] ?? []),
        ...underWay.filter(([at]) => at === sector).map(([, bytes]) => bytes),
      ];
      for (const bytes of possible)
        expect((bytes[(extent & 4095) >> 3] ?? 0) & (1 << (extent & 7))).not.toBe(0);
    }
  }

  #write(extent: number): void {
    const range = { first: extent, last: extent };
    this.map.writeStarted(range);
    if (this.store.holds(range)) {
      this.#writing.push(extent);
      return;
    }
    this.asked++;
    this.store.persist({
      mapPersisted: (error) => {
        this.told++;
        if (error === null) {
          expect(this.store.holds(range)).toBe(true);
          this.#writing.push(extent);
        } else {
          this.map.writeWithdrawn(range);
        }
      },
    });
  }

  #finish(which: number): void {
    const [extent] = this.#writing.splice(which % Math.max(1, this.#writing.length), 1);
    if (extent !== undefined) this.map.writeFinished({ first: extent, last: extent });
  }
}

function sectorsOf(offset: number, buffer: Uint8Array | null): [number, Uint8Array][] {
  if (buffer === null) return [];
  const first = (offset - METADATA_BYTES) / SECTOR_BYTES;
  return Array.from({ length: buffer.length / SECTOR_BYTES }, (_, i) => [
    first + i,
    buffer.slice(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES),
  ]);
}

const which = fc.nat(100);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), which }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('finish' as const), which }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flushed' as const), which }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('complete' as const),
        which,
        code: fc.oneof(
          { weight: 9, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.constant('EIO' as const) },
        ),
      }),
    },
  ),
  { maxLength: 120 },
);

describe('map store', () => {
  it('vouches only for bits that no power failure can take, tells everybody, and ends up with the map on the medium', () => {
    fc.assert(
      fc.property(steps, (story) => {
        const world = new World();
        let failed = false;
        for (const step of story) {
          if (step.kind === 'complete' && step.code !== null) failed = true;
          world.apply(step);
          world.check();
        }
        world.disk.completeAll();
        world.check();
        expect(world.told).toBe(world.asked);
        world.apply({ kind: 'flushed', which: 0 });
        world.disk.completeAll();
        const stored = world.disk.bytes.subarray(METADATA_BYTES, METADATA_BYTES + MAP_BYTES);
        const { bytes } = world.map.image;
        // After a failure the medium may mark more than it has to, never less.
        if (failed) expect(bytes.every((byte, i) => (byte & ~(stored[i] ?? 0)) === 0)).toBe(true);
        else expect(bytes.every((byte, i) => byte === stored[i])).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
