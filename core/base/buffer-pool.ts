/**
 * Buffers that are used again: memory of its own for every payload costs its zeroing, and the system a page fault for every 4 KiB.
 * Most payloads have one of a few lengths, so buffers are kept by their exact length.
 */
import { newTransferBuffer } from './slab.js';

/** Kept for later, all lengths together. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

export class BufferPool {
  readonly #kept = new Map<number, Uint8Array[]>();
  #keptBytes = 0;

  /** `length` bytes, and nobody knows what is in them. */
  take(length: number): Uint8Array {
    const buffer = this.#kept.get(length)?.pop();
    if (buffer === undefined) return newTransferBuffer(length);
    this.#keptBytes -= length;
    return buffer;
  }

  /** Nobody else uses `buffer`, which came from `take`, any more. */
  give(buffer: Uint8Array): void {
    const { length } = buffer;
    if (this.#keptBytes + length > MAX_KEPT_BYTES) this.#forgetOthers(length);
    if (this.#keptBytes + length > MAX_KEPT_BYTES) return;
    let kept = this.#kept.get(length);
    if (kept === undefined) this.#kept.set(length, (kept = []));
    kept.push(buffer);
    this.#keptBytes += length;
  }

  /** Lengths that nobody may ask for again. */
  #forgetOthers(length: number): void {
    const kept = this.#kept.get(length) ?? [];
    this.#kept.clear();
    this.#kept.set(length, kept);
    this.#keptBytes = kept.length * length;
  }
}
