import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Activemap, type ExtentRange } from '../../core/activemap/activemap.js';
import { Bitmap } from '../../core/activemap/bitmap.js';
import { NaiveMap } from './naive-map.js';

const EXTENT_BYTES = 8192;
const MAP_BYTES = 512;

interface Real {
  readonly map: Activemap;
  /** The flushes under way, by the model's number. */
  readonly generations: Map<number, number>;
}

/** What was begun and not ended. */
interface Model {
  readonly naive: NaiveMap;
  readonly writing: { range: ExtentRange; extents: number[] }[];
  flushing: number[];
}

abstract class Step implements fc.Command<Model, Real> {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    this.apply(model, real);
    compare(model, real.map);
  }

  toString(): string {
    return this.name;
  }

  abstract apply(model: Model, real: Real): void;
}

function compare({ naive }: Model, map: Activemap): void {
  let next = -1;
  for (let extent = naive.extents - 1; extent >= 0; extent--) {
    expect(map.image.has(extent)).toBe(naive.isDirty(extent));
    expect(map.needsSync(extent)).toBe(naive.needSync.has(extent));
    if (naive.needSync.has(extent)) next = extent;
    expect(map.nextToSync(extent)).toBe(next);
  }
  expect(map.image.count).toBe(naive.count((extent) => naive.isDirty(extent)));
  expect(map.syncCount).toBe(naive.needSync.size);
  expect(map.unflushedCount).toBe(naive.unflushed.size);
  const dirty = naive.count((extent) => naive.isInFlight(extent) || naive.needSync.has(extent));
  expect(map.dirtyBytes).toBe(dirty * EXTENT_BYTES);
  const owed = naive.count(
    (extent) =>
      naive.unflushed.has(extent) &&
      !naive.isInFlight(extent) &&
      !naive.needSync.has(extent) &&
      !naive.keepdirty.includes(extent),
  );
  expect(map.flushOwed).toBe(owed);
}

function extentsOf({ first, last }: ExtentRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Takes the `which`th of what is under way. */
function take<T>(list: T[], which: number): T | undefined {
  return list.splice(which % Math.max(1, list.length), 1)[0];
}

class WriteStarted extends Step {
  readonly #range: ExtentRange;

  constructor(range: ExtentRange) {
    super(`write of ${String(range.first)}..${String(range.last)} started`);
    this.#range = range;
  }

  apply({ naive, writing }: Model, { map }: Real): void {
    const extents = extentsOf(this.#range);
    writing.push({ range: this.#range, extents });
    naive.writeStarted(extents);
    map.writeStarted(this.#range);
  }
}

class WriteEnded extends Step {
  readonly #which: number;
  readonly #how: 'finished' | 'withdrawn';

  constructor(which: number, how: 'finished' | 'withdrawn') {
    super(`write ${String(which)} ${how}`);
    this.#which = which;
    this.#how = how;
  }

  apply({ naive, writing }: Model, { map }: Real): void {
    const write = take(writing, this.#which);
    if (write === undefined) return;
    if (this.#how === 'finished') {
      naive.writeFinished(write.extents);
      map.writeFinished(write.range);
    } else {
      naive.writeWithdrawn(write.extents);
      map.writeWithdrawn(write.range);
    }
  }
}

class NeedSync extends Step {
  readonly #range: ExtentRange;

  constructor(range: ExtentRange) {
    super(`${String(range.first)}..${String(range.last)} need sync`);
    this.#range = range;
  }

  apply({ naive }: Model, { map }: Real): void {
    const extents = extentsOf(this.#range);
    const added = extents.some((extent) => !naive.needSync.has(extent));
    for (const extent of extents) naive.needSync.add(extent);
    expect(map.needSync(this.#range)).toBe(added);
    expect(map.needsSyncIn(this.#range)).toBe(true);
  }
}

class Merge extends Step {
  readonly #bits: Uint8Array;

  constructor(bits: Uint8Array) {
    super(`merge of ${String(bits.length)} bytes ${Array.from(bits).join(' ')}`);
    this.#bits = bits;
  }

  apply({ naive }: Model, { map }: Real): void {
    let added = false;
    for (let extent = 0; extent < naive.extents; extent++) {
      const bit = ((this.#bits[extent >> 3] ?? 0) >> (extent & 7)) & 1;
      if (bit === 0 || naive.needSync.has(extent)) continue;
      naive.needSync.add(extent);
      added = true;
    }
    expect(map.merge(this.#bits)).toBe(added);
  }
}

class Synced extends Step {
  readonly #from: number;

  constructor(from: number) {
    super(`first extent from ${String(from)} synced`);
    this.#from = from;
  }

  apply({ naive }: Model, { map }: Real): void {
    const extent = map.nextToSync(this.#from % naive.extents);
    if (extent === -1) return;
    naive.synced(extent);
    map.synced(extent);
  }
}

class FlushStarted extends Step {
  constructor() {
    super('flush started');
  }

  apply(model: Model, { map, generations }: Real): void {
    const flush = model.naive.flushStarted();
    model.flushing.push(flush);
    generations.set(flush, map.flushStarted());
  }
}

class FlushEnded extends Step {
  readonly #which: number;
  readonly #well: boolean;

  constructor(which: number, well: boolean) {
    super(`flush ${String(which)} ${well ? 'succeeded' : 'failed'}`);
    this.#which = which;
    this.#well = well;
  }

  apply(model: Model, { map, generations }: Real): void {
    const flush = take(model.flushing, this.#which);
    if (flush === undefined || !this.#well) return;
    model.naive.flushed(flush);
    map.flushed(generations.get(flush) ?? 0);
  }
}

class PeerLost extends Step {
  constructor() {
    super('peer lost');
  }

  apply({ naive }: Model, { map }: Real): void {
    naive.peerLost();
    map.peerLost();
  }
}

function steps(extents: number): fc.Arbitrary<Iterable<fc.Command<Model, Real>>> {
  const range = fc.tuple(fc.nat(extents - 1), fc.nat(3)).map(([first, more]) => ({
    first,
    last: Math.min(first + more, extents - 1),
  }));
  return fc.commands(
    [
      range.map((one) => new WriteStarted(one)),
      range.map((one) => new WriteStarted(one)),
      fc.nat().map((which) => new WriteEnded(which, 'finished')),
      fc.nat().map((which) => new WriteEnded(which, 'finished')),
      fc.nat().map((which) => new WriteEnded(which, 'withdrawn')),
      range.map((one) => new NeedSync(one)),
      fc.uint8Array({ maxLength: 6 }).map((bits) => new Merge(bits)),
      fc.nat().map((from) => new Synced(from)),
      fc.constant(new FlushStarted()),
      fc.tuple(fc.nat(), fc.boolean()).map(([which, well]) => new FlushEnded(which, well)),
      fc.constant(new PeerLost()),
    ],
    { maxCommands: 80 },
  );
}

describe('activemap', () => {
  for (const { extents, keepdirty } of [
    { extents: 1, keepdirty: 1 },
    { extents: 9, keepdirty: 1 },
    { extents: 20, keepdirty: 2 },
    { extents: 33, keepdirty: 8 },
    { extents: 33, keepdirty: 64 },
    // Below what is possible (W13).
    { extents: 9, keepdirty: 0 },
  ]) {
    it(`holds exactly the extents that have a reason: ${String(extents)} extents, keepdirty ${String(keepdirty)}`, () => {
      fc.assert(
        fc.property(steps(extents), (commands) => {
          fc.modelRun(() => {
            const datasize = (extents - 1) * EXTENT_BYTES + 512;
            const map = new Activemap({ datasize, extentsize: EXTENT_BYTES, keepdirty, mapBytes: MAP_BYTES });
            const naive = new NaiveMap(extents, keepdirty);
            return { model: { naive, writing: [], flushing: [] }, real: { map, generations: new Map() } };
          }, commands);
        }),
      );
    });
  }

  it('finds the extents of a byte range and their lengths', () => {
    const sizes = fc.record({
      datasize: fc.integer({ min: 1, max: 1_000_000 }),
      extentsize: fc.constantFrom(512, 4096, 65_536),
    });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), ({ datasize, extentsize }, a, b) => {
        const map = new Activemap({ datasize, extentsize, keepdirty: 2, mapBytes: 512 });
        const offset = a % datasize;
        const length = 1 + (b % (datasize - offset));
        const { first, last } = map.rangeOf(offset, length);
        let covered = 0;
        for (let extent = first; extent <= last; extent++) {
          const start = Math.max(offset, extent * extentsize);
          const end = Math.min(offset + length, extent * extentsize + map.lengthOf(extent));
          expect(end).toBeGreaterThan(start);
          covered += end - start;
        }
        expect(covered).toBe(length);
      }),
    );
  });
});

describe('bitmap', () => {
  it('behaves like a set of numbers', () => {
    const change = fc.tuple(fc.boolean(), fc.nat(99));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), fc.integer({ min: 1, max: 100 }), (changes, size) => {
        const bitmap = new Bitmap(size, 64);
        const set = new Set<number>();
        for (const [add, at] of changes) {
          const index = at % size;
          expect(add ? bitmap.set(index) : bitmap.clear(index)).toBe(add !== set.has(index));
          if (add) set.add(index);
          else set.delete(index);
        }
        expect(bitmap.count).toBe(set.size);
        for (let from = 0; from <= size; from++) {
          const rest = [...set].filter((index) => index >= from);
          expect(bitmap.next(from)).toBe(rest.length === 0 ? -1 : Math.min(...rest));
        }
      }),
    );
  });
});
