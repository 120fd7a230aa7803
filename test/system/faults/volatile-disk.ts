/**
 * A disk with a write cache that forgets: what was written since the last flush survives a power failure only by
 * chance, sector by sector. It keeps both images, the one that is read and the one that is safe, and everything
 * between them, so that it can tell what the platters might hold if the power failed now.
 */
import type { Random } from '../../../sim/random.js';

export const SECTOR_BYTES = 512;

/** What a power failure leaves of the writes that were not flushed. */
export type Survivors = 'none' | 'all' | 'some sectors' | 'some writes';

export interface DiskWrite {
  /** Bytes; whole sectors. */
  readonly offset: number;
  readonly data: Uint8Array;
}

export class VolatileDisk {
  /** What a reader sees. */
  readonly visible: Uint8Array;
  /** What the last flush made safe. */
  readonly #safe: Uint8Array;
  readonly #unflushed: DiskWrite[] = [];

  constructor(content: Uint8Array) {
    this.visible = content.slice();
    this.#safe = content.slice();
  }

  get unflushedWrites(): number {
    return this.#unflushed.length;
  }

  write(write: DiskWrite): void {
    this.visible.set(write.data, write.offset);
    this.#unflushed.push(write);
  }

  flush(): void {
    for (const { offset, data } of this.#unflushed) this.#safe.set(data, offset);
    this.#unflushed.length = 0;
  }

  /** What may be found after a power failure. Among overlapping writes a later one never loses to an earlier one. */
  crashImage(survivors: Survivors, random: Random): Uint8Array {
    const image = this.#safe.slice();
    for (const { offset, data } of this.#unflushed) {
      const keep = survivors === 'all' || (survivors === 'some writes' && random.chance(1, 2));
      if (keep) image.set(data, offset);
      if (survivors !== 'some sectors') continue;
      for (let at = 0; at < data.length; at += SECTOR_BYTES) {
        if (random.chance(1, 2)) image.set(data.subarray(at, at + SECTOR_BYTES), offset + at);
      }
    }
    return image;
  }

  /** The power fails and returns: from now on this is what the disk holds. */
  become(image: Uint8Array): void {
    this.visible.set(image);
    this.#safe.set(image);
    this.#unflushed.length = 0;
  }
}
