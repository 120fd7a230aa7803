import { METADATA_BYTES } from '../metadata/geometry.js';
import type { Turns } from '../base/turns.js';
import type { Disk } from '../ports/disk.js';
import type { PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { Activemap, ExtentRange } from './activemap.js';

export interface MapWaiter {
  /** The bits the waiter needs are durable (null), or could not be made so. */
  mapPersisted(error: PortError | null): void;
}

const NOTHING = new Uint8Array(0);

/**
 * Keeps the activemap's region of the component up to date. All extents that became dirty in one turn share one write and
 * one cache flush (`metaflush`); only changed sectors are written (W37). A failed write or flush is reported to everybody
 * who waited for it, never ignored (W14), and what it should have stored counts as not stored.
 */
export class MapStore {
  readonly #disk: Disk;
  readonly #turns: Turns;
  readonly #log: Log;
  readonly #map: Activemap;
  /** What the medium is known to hold. */
  readonly #durable: Uint8Array;
  #writing: Uint8Array | null = null;
  #writingFrom = 0;
  #current: MapWaiter[] = [];
  #next: MapWaiter[] = [];
  #scheduled = false;
  metaflush: boolean;
  updates = 0;
  writeErrors = 0;
  flushErrors = 0;

  constructor(
    ports: { disk: Disk; turns: Turns; log: Log },
    map: Activemap,
    options: { durable: Uint8Array; metaflush: boolean },
  ) {
    this.#disk = ports.disk;
    this.#turns = ports.turns;
    this.#log = ports.log;
    this.#map = map;
    this.#durable = options.durable;
    this.metaflush = options.metaflush;
  }

  /** True when the bits of these extents are on the medium and no write in progress takes one away. */
  holds(range: ExtentRange): boolean {
    for (let extent = range.first; extent <= range.last; extent++) {
      const byte = extent >> 3;
      const mask = 1 << (extent & 7);
      if (((this.#durable[byte] ?? 0) & mask) === 0) return false;
      const writing = this.#writing?.[byte - this.#writingFrom];
      if (writing !== undefined && (writing & mask) === 0) return false;
    }
    return true;
  }

  /** Stores the image as it is at the end of this turn; `waiter` hears when it is durable. */
  persist(waiter: MapWaiter | null): void {
    if (waiter !== null) this.#next.push(waiter);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#writing === null) this.#turns.atEnd(this.#write);
  }

  readonly #write = (): void => {
    this.#scheduled = false;
    this.#current = this.#next;
    this.#next = [];
    const [from, to] = this.#changed();
    if (from === to) {
      this.#finish(null);
      return;
    }
    this.#writingFrom = from;
    this.#writing = this.#map.image.bytes.slice(from, to);
    this.updates++;
    this.#disk.write(METADATA_BYTES + from, this.#writing, this.#written);
  };

  readonly #written = (error: PortError | null): void => {
    if (error !== null) {
      this.writeErrors++;
      this.#finish(error);
    } else if (this.metaflush) {
      this.#disk.flush(this.#flushed);
    } else {
      this.#finish(null);
    }
  };

  readonly #flushed = (error: PortError | null): void => {
    if (error?.code === 'EOPNOTSUPP') {
      this.metaflush = false;
      this.#log.write('warning', 'Local component does not support flushing its cache; metaflush is off.');
      this.#finish(null);
      return;
    }
    if (error !== null) this.flushErrors++;
    this.#finish(error);
  };

  #finish(error: PortError | null): void {
    const written = this.#writing ?? NOTHING;
    this.#writing = null;
    if (error === null) {
      this.#durable.set(written, this.#writingFrom);
    } else {
      // Neither the old nor the new bits can be relied on: a bit counts only if both have it.
      for (let i = 0; i < written.length; i++) {
        const byte = this.#writingFrom + i;
        this.#durable[byte] = (this.#durable[byte] ?? 0) & (written[i] ?? 0);
      }
      this.#log.write('error', `Unable to store the activemap: ${error.message}.`);
    }
    const waiters = this.#current;
    this.#current = [];
    if (this.#scheduled) this.#turns.atEnd(this.#write);
    for (const waiter of waiters) waiter.mapPersisted(error);
  }

  /** Byte range of the image, in whole sectors, that differs from the medium. */
  #changed(): [number, number] {
    const image = this.#map.image.bytes;
    let from = 0;
    let to = image.length;
    while (from < to && image[from] === this.#durable[from]) from++;
    while (to > from && image[to - 1] === this.#durable[to - 1]) to--;
    if (from === to) return [0, 0];
    const sector = this.#disk.sectorSize;
    return [Math.floor(from / sector) * sector, Math.min(image.length, Math.ceil(to / sector) * sector)];
  }
}
