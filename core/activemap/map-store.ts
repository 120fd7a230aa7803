import { METADATA_BYTES } from '../metadata/geometry.js';
import type { Turns } from '../base/turns.js';
import type { Disk, DiskWrite } from '../ports/disk.js';
import type { PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { Activemap, ExtentRange } from './activemap.js';
import { WatchedBitmap } from './bitmap.js';

export interface MapWaiter {
  /** The bits the waiter needs are durable (null), or could not be made so. */
  mapPersisted(error: PortError | null): void;
}

const NOTHING: readonly DiskWrite[] = [];

/**
 * Keeps the activemap's region of the component up to date. All extents that became dirty in one turn, or while an earlier
 * update was under way, share one update, which is made durable as one (`metaflush`); only changed sectors are written
 * (W37), and only those that changed are looked at. A failed update is reported to everybody who waited for it, never
 * ignored (W14), and what it should have stored counts as not stored.
 */
export class MapStore {
  readonly #disk: Disk;
  readonly #turns: Turns;
  readonly #log: Log;
  readonly #map: Activemap;
  /** The bits that the medium is known to hold, and to keep whatever becomes of the update under way. */
  readonly #durable: Uint8Array;
  readonly #durableWords: Int32Array;
  /** What is being written, where it is in the image. */
  readonly #copy: Uint8Array;
  #writing: readonly DiskWrite[] = NOTHING;
  #current: MapWaiter[] = [];
  #next: MapWaiter[] = [];
  #scheduled = false;
  metaflush: boolean;
  updates = 0;
  writeErrors = 0;

  constructor(
    ports: { disk: Disk; turns: Turns; log: Log },
    map: Activemap,
    options: { durable: Uint8Array; metaflush: boolean },
  ) {
    this.#disk = ports.disk;
    this.#turns = ports.turns;
    this.#log = ports.log;
    this.#map = map;
    this.#durable = options.durable.slice();
    this.#durableWords = new Int32Array(this.#durable.buffer);
    this.#copy = new Uint8Array(options.durable.length);
    this.metaflush = options.metaflush;
  }

  /** True when the bits of these extents are on the medium and no update under way takes one away. */
  holds(range: ExtentRange): boolean {
    for (let extent = range.first; extent <= range.last; extent++) {
      if (((this.#durable[extent >> 3] ?? 0) & (1 << (extent & 7))) === 0) return false;
    }
    return true;
  }

  /** Stores the image as it is at the end of this turn; `waiter` hears when it is durable. */
  persist(waiter: MapWaiter | null): void {
    if (waiter !== null) this.#next.push(waiter);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#writing === NOTHING) this.#turns.atEnd(this.#write);
  }

  readonly #write = (): void => {
    this.#scheduled = false;
    this.#current = this.#next;
    this.#next = [];
    const writes = this.#changes();
    if (writes.length === 0) {
      this.#finish(null);
      return;
    }
    this.#writing = writes;
    this.updates++;
    this.#disk.writeAll(writes, this.metaflush, this.#written);
  };

  readonly #written = (error: PortError | null): void => {
    if (error?.code === 'EOPNOTSUPP' && this.metaflush) {
      this.metaflush = false;
      this.#log.write('warning', 'Local component does not support flushing its cache; metaflush is off.');
      this.#finish(null);
      return;
    }
    if (error !== null) this.writeErrors++;
    this.#finish(error);
  };

  #finish(error: PortError | null): void {
    const writes = this.#writing;
    this.#writing = NOTHING;
    if (error === null) {
      for (const { offset, source } of writes) this.#durable.set(source, offset - METADATA_BYTES);
    } else {
      for (const { offset, source } of writes) this.#changeAgain(offset - METADATA_BYTES, source.length);
      this.#log.write('error', `Unable to store the activemap: ${error.message}.`);
    }
    const waiters = this.#current;
    this.#current = [];
    if (this.#scheduled) this.#turns.atEnd(this.#write);
    for (const waiter of waiters) waiter.mapPersisted(error);
  }

  /** The sectors in which the image differs from the medium, as they are now; neighbours in one piece. */
  #changes(): readonly DiskWrite[] {
    const { image } = this.#map;
    const { sectorSize } = this.#disk;
    const writes: DiskWrite[] = [];
    let from = 0;
    let to = 0;
    for (const block of image.takeChanged()) {
      const start = Math.floor((block * WatchedBitmap.BLOCK_BYTES) / sectorSize) * sectorSize;
      if (start < to || !this.#differs(start, start + sectorSize)) continue;
      if (start > to && to > from) writes.push(this.#leave(from, to));
      if (start > to) from = start;
      to = start + sectorSize;
    }
    if (to > from) writes.push(this.#leave(from, to));
    return writes;
  }

  #differs(from: number, to: number): boolean {
    const { words } = this.#map.image;
    for (let at = from >>> 2; at < to >>> 2; at++) if (words[at] !== this.#durableWords[at]) return true;
    return false;
  }

  /**
   * A copy of part of the image, to be written. Until that has succeeded, neither the old nor the new bits can be relied on: a bit
   * counts only if both have it.
   */
  #leave(from: number, to: number): DiskWrite {
    const { bytes, words } = this.#map.image;
    const source = this.#copy.subarray(from, to);
    source.set(bytes.subarray(from, to));
    for (let at = from >>> 2; at < to >>> 2; at++) {
      this.#durableWords[at] = (this.#durableWords[at] ?? 0) & (words[at] ?? 0);
    }
    return { offset: METADATA_BYTES + from, source };
  }

  #changeAgain(from: number, length: number): void {
    for (let at = from; at < from + length; at += WatchedBitmap.BLOCK_BYTES) {
      this.#map.image.markChanged(at / WatchedBitmap.BLOCK_BYTES);
    }
  }
}
