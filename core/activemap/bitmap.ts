import { assert } from '../base/assert.js';

/** Bit k is in byte k>>3, mask 1 << (k & 7) (core/spec/metadata.md section 3.1). */
export class Bitmap {
  readonly bytes: Uint8Array;
  readonly size: number;
  #count = 0;

  /** `size` bits, all clear, in `byteLength` bytes (at least enough for them). */
  constructor(size: number, byteLength: number = Math.ceil(size / 8)) {
    assert(byteLength * 8 >= size, 'bitmap does not fit');
    this.size = size;
    this.bytes = new Uint8Array(byteLength);
  }

  /** The bits that `bytes` hold, in bytes of its own. */
  static from(bytes: Uint8Array, size: number): Bitmap {
    const bitmap = new Bitmap(size, bytes.length);
    bitmap.bytes.set(bytes);
    for (let bit = bitmap.next(0); bit !== -1; bit = bitmap.next(bit + 1)) bitmap.#count++;
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
    return true;
  }

  /** True when the bit changed. */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) & ~(1 << (index & 7));
    this.#count--;
    return true;
  }

  /** The first set bit at or after `from`, or -1. */
  next(from: number): number {
    for (let index = from; index < this.size;) {
      const byte = (this.bytes[index >> 3] ?? 0) >> (index & 7);
      if (byte === 0) {
        index = ((index >> 3) + 1) << 3;
        continue;
      }
      const found = index + (31 - Math.clz32(byte & -byte));
      return found < this.size ? found : -1;
    }
    return -1;
  }
}
