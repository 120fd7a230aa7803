/**
 * The bytes of a medium, twice: as reads see them, and as a power failure leaves them at least. In between is the
 * volatile cache: a sector written and not flushed may reach the durable image at any time, in any order, or never.
 *
 * Both images are in one buffer, so that making a sector durable is one copy within it; an unflushed sector is a bit and
 * the number of the first flush that must take it along.
 */
import { METADATA_BYTES } from '../core/metadata/geometry.js';
import type { Random } from './random.js';

const NO_SECTOR = -1;

export class DiskCache {
  readonly visible: Uint8Array;
  readonly durable: Uint8Array;
  readonly visibleWords: Uint32Array;
  readonly durableWords: Uint32Array;
  /** Count the changes of the metadata block in each image. */
  visibleMetadataVersion = 0;
  durableMetadataVersion = 0;
  readonly #size: number;
  readonly #sectorSize: number;
  readonly #random: Random;
  /** The visible image, then the durable one. */
  readonly #images: Uint8Array;
  readonly #unflushed: Uint32Array;
  /** By unflushed sector: the first flush that makes it durable. */
  readonly #epochs: Uint32Array;
  /** Number of the next flush. */
  #epoch = 1;

  constructor(size: number, sectorSize: number, random: Random) {
    this.#size = size;
    this.#sectorSize = sectorSize;
    this.#random = random;
    const buffer = new ArrayBuffer(2 * size);
    this.#images = new Uint8Array(buffer);
    this.visible = new Uint8Array(buffer, 0, size);
    this.durable = new Uint8Array(buffer, size, size);
    this.visibleWords = new Uint32Array(buffer, 0, size / 4);
    this.durableWords = new Uint32Array(buffer, size, size / 4);
    const sectors = size / sectorSize;
    this.#unflushed = new Uint32Array((sectors + 31) >>> 5);
    this.#epochs = new Uint32Array(sectors);
  }

  /** Writes `length` bytes of `data`, or zeros. */
  write(offset: number, length: number, data: Uint8Array | null): void {
    const first = offset / this.#sectorSize;
    const end = first + length / this.#sectorSize;
    // The cache may have been written back just now: an older version can be the one that survives. Else
    // the flush that was to take the older version along takes the newer one.
    const writtenBack = this.#random.chance(1, 2);
    for (let sector = first; sector < end; sector++) {
      const bit = 1 << (sector & 31);
      const word = this.#unflushed[sector >>> 5] ?? 0;
      if ((word & bit) === 0) this.#unflushed[sector >>> 5] = word | bit;
      else if (writtenBack) this.#destage(sector, sector + 1);
      else continue;
      this.#epochs[sector] = this.#epoch;
    }
    if (data === null) this.visible.fill(0, offset, offset + length);
    else this.visible.set(data.length === length ? data : data.subarray(0, length), offset);
    if (offset < METADATA_BYTES) this.visibleMetadataVersion++;
  }

  /** Starts a flush of all that is in the cache; give the result to `endFlush`. */
  beginFlush(): number {
    return this.#epoch++;
  }

  /** Makes durable what was written to a range, in bytes, before the flush began. */
  endFlush(epoch: number, offset: number, length: number): void {
    const epochs = this.#epochs;
    const from = offset / this.#sectorSize;
    const to = from + length / this.#sectorSize;
    let first = NO_SECTOR;
    let end = NO_SECTOR;
    for (let index = from >>> 5; index << 5 < to; index++) {
      let word = this.#unflushed[index] ?? 0;
      let left = word;
      for (; word !== 0; word &= word - 1) {
        const sector = (index << 5) + trailingZeros(word);
        if (sector < from || sector >= to || (epochs[sector] ?? 0) > epoch) continue;
        left &= ~(word & -word);
        if (sector !== end) {
          this.#destage(first, end);
          first = sector;
        }
        end = sector + 1;
      }
      this.#unflushed[index] = left;
    }
    this.#destage(first, end);
  }

  /** Any subset of the sectors that were not flushed is lost. */
  losePower(): void {
    const keptOfTwo = this.#random.below(3);
    for (let index = 0; index < this.#unflushed.length; index++) {
      for (let word = this.#unflushed[index] ?? 0; word !== 0; word &= word - 1) {
        const sector = (index << 5) + trailingZeros(word);
        if (this.#random.chance(keptOfTwo, 2)) this.#destage(sector, sector + 1);
      }
    }
    this.#unflushed.fill(0);
    this.#images.copyWithin(0, this.#size);
    this.visibleMetadataVersion++;
  }

  /** Puts bytes on the medium from outside, durably. */
  imprint(offset: number, bytes: Uint8Array): void {
    this.visible.set(bytes, offset);
    this.durable.set(bytes, offset);
    this.#changed(offset);
  }

  /** Turns the bits of `mask` over in the 32-bit word at `offset`, on the medium itself. */
  flip(offset: number, mask: number): void {
    for (const words of [this.visibleWords, this.durableWords]) {
      words[offset >>> 2] = (words[offset >>> 2] ?? 0) ^ mask;
    }
    this.#changed(offset);
  }

  /** Another medium in this one's place. */
  restore(image: Uint8Array): void {
    this.#unflushed.fill(0);
    this.imprint(0, image);
  }

  /** Sectors `first` .. `end`-1 become durable as they are. */
  #destage(first: number, end: number): void {
    if (end <= first) return;
    const start = first * this.#sectorSize;
    this.#images.copyWithin(this.#size + start, start, end * this.#sectorSize);
    if (start < METADATA_BYTES) this.durableMetadataVersion++;
  }

  #changed(offset: number): void {
    if (offset >= METADATA_BYTES) return;
    this.visibleMetadataVersion++;
    this.durableMetadataVersion++;
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
