import { assert } from '../base/assert.js';

/** Bit k is in byte k>>3, mask 1 << (k & 7) (core/spec/metadata.md section 3.1). */
export class Bitmap {
  readonly bytes: Uint8Array;
  readonly size: number;
  /** The same bytes but for at most three at the end: large maps are mostly zeros, and those are passed over by words. */
  readonly words: Int32Array;
  #count = 0;

  /** `size` bits, all clear, in `byteLength` bytes (at least enough for them). */
  constructor(size: number, byteLength: number = Math.ceil(size / 8)) {
    assert(byteLength * 8 >= size, 'bitmap does not fit');
    this.size = size;
    this.bytes = new Uint8Array(byteLength);
    this.words = new Int32Array(this.bytes.buffer, 0, byteLength >>> 2);
  }

  /** The bits that `bytes` hold, in bytes of its own. */
  static from(bytes: Uint8Array, size: number): Bitmap {
    const bitmap = new Bitmap(size, bytes.length);
    bitmap.add(bytes);
    return bitmap;
  }

  /** Number of set bits. */
  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    return ((this.bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** True when the bit changed. */
  set(index: number): boolean {
    if (this.has(index)) return false;
    assert(index < this.size, 'bit beyond the bitmap');
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) | (1 << (index & 7));
    this.#count++;
    this.changed(index >> 3);
    return true;
  }

  /** True when the bit changed. */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) & ~(1 << (index & 7));
    this.#count--;
    this.changed(index >> 3);
    return true;
  }

  /** Sets all bits that `bits` has, as far as there are such; true when any changed. */
  add(bits: Uint8Array): boolean {
    const before = this.#count;
    const end = Math.min(bits.length, Math.ceil(this.size / 8));
    for (let at = 0; at < end; at++) {
      const theirs = bits[at] ?? 0;
      if (theirs === 0) continue;
      const ours = this.bytes[at] ?? 0;
      const added = theirs & ~ours & this.#maskOf(at);
      if (added === 0) continue;
      this.bytes[at] = ours | added;
      this.#count += bitsIn(added);
      this.changed(at);
    }
    return this.#count > before;
  }

  /** The first set bit at or after `from`, or -1. */
  next(from: number): number {
    for (let index = from; index < this.size;) {
      const byte = (this.bytes[index >> 3] ?? 0) >> (index & 7);
      if (byte === 0) {
        index = this.#nextByte((index >> 3) + 1) << 3;
        continue;
      }
      const found = index + (31 - Math.clz32(byte & -byte));
      return found < this.size ? found : -1;
    }
    return -1;
  }

  /** A bit of this byte changed. */
  protected changed(_byte: number): void {
    // Of interest to those that have to be stored.
  }

  /** From `byte` on: where the next byte with a bit may be. */
  #nextByte(byte: number): number {
    if ((byte & 3) !== 0) return byte;
    let word = byte >>> 2;
    while (this.words[word] === 0) word++;
    return word << 2;
  }

  /** The bits of a byte that count. */
  #maskOf(byte: number): number {
    return byte === this.size >> 3 ? (1 << (this.size & 7)) - 1 : 0xff;
  }
}

/** Remembers where it changed, in blocks. */
export class WatchedBitmap extends Bitmap {
  /** Bytes of a block: those of the smallest sector. */
  static readonly BLOCK_BYTES = 512;
  readonly #blocks = new Set<number>();

  /** Nothing is known of what there was before: every block counts as changed. */
  constructor(size: number, byteLength: number) {
    super(size, byteLength);
    for (let block = 0; block * WatchedBitmap.BLOCK_BYTES < byteLength; block++) this.#blocks.add(block);
  }

  /** The numbers of blocks in which bits have changed since the last call, ascending. */
  takeChanged(): readonly number[] {
    const blocks = [...this.#blocks].sort((a, b) => a - b);
    this.#blocks.clear();
    return blocks;
  }

  /** To be told by the next `takeChanged`. */
  markChanged(block: number): void {
    this.#blocks.add(block);
  }

  protected override changed(byte: number): void {
    this.#blocks.add(Math.floor(byte / WatchedBitmap.BLOCK_BYTES));
  }
}

function bitsIn(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}
