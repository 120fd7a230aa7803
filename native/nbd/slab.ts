/**
 * Memory for the payloads of requests in flight: one block per device, cut in halves on demand and merged again
 * (a buddy system), so that the bound is strict and nothing is allocated or collected per request.
 * Untouched parts of the block cost no memory.
 *
 * Every piece starts as far from a page's beginning as the block does (`newTransferBuffer`).
 */
import { assert } from '../../core/base/assert.js';
import { newTransferBuffer } from '../../core/base/slab.js';

const LEAF_BYTES = 4096;
const NONE = -1;

export class Slab {
  readonly #bytes: Uint8Array;
  readonly #topOrder: number;
  /** Order of the free piece that starts at a leaf, NONE elsewhere. A piece of order n has 2^n leaves. */
  readonly #freeOrder: Int8Array;
  /** Doubly linked lists of the free pieces, one list per order. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #first: Int32Array;

  /** `totalBytes`: a power of two, at least 4096. */
  constructor(totalBytes: number) {
    const leaves = totalBytes / LEAF_BYTES;
    this.#topOrder = Math.log2(leaves);
    assert(Number.isInteger(this.#topOrder), 'a slab is a power of two of leaves');
    this.#bytes = newTransferBuffer(totalBytes);
    this.#freeOrder = new Int8Array(leaves).fill(NONE);
    this.#next = new Int32Array(leaves).fill(NONE);
    this.#previous = new Int32Array(leaves).fill(NONE);
    this.#first = new Int32Array(this.#topOrder + 1).fill(NONE);
    this.#link(0, this.#topOrder);
  }

  /** Where `length` bytes are now reserved; -1 when there is no free piece that large. */
  allocate(length: number): number {
    const wanted = orderFor(length);
    let order = wanted;
    while (order <= this.#topOrder && this.#first[order] === NONE) order++;
    if (order > this.#topOrder) return -1;
    const leaf = this.#first[order] ?? NONE;
    this.#unlink(leaf, order);
    while (order > wanted) {
      order--;
      this.#link(leaf + (1 << order), order);
    }
    return leaf * LEAF_BYTES;
  }

  /** Gives back what `allocate(length)` returned. */
  release(offset: number, length: number): void {
    let leaf = offset / LEAF_BYTES;
    let order = orderFor(length);
    assert(this.#freeOrder[leaf] === NONE, 'a piece of the slab is released once');
    while (order < this.#topOrder) {
      const buddy = leaf ^ (1 << order);
      if (this.#freeOrder[buddy] !== order) break;
      this.#unlink(buddy, order);
      leaf = Math.min(leaf, buddy);
      order++;
    }
    this.#link(leaf, order);
  }

  view(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + length);
  }

  #link(leaf: number, order: number): void {
    const first = this.#first[order] ?? NONE;
    this.#freeOrder[leaf] = order;
    this.#previous[leaf] = NONE;
    this.#next[leaf] = first;
    if (first !== NONE) this.#previous[first] = leaf;
    this.#first[order] = leaf;
  }

  #unlink(leaf: number, order: number): void {
    const next = this.#next[leaf] ?? NONE;
    const previous = this.#previous[leaf] ?? NONE;
    this.#freeOrder[leaf] = NONE;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else this.#first[order] = next;
  }
}

/** The smallest order whose pieces hold `length` bytes. */
function orderFor(length: number): number {
  const leaves = Math.ceil(length / LEAF_BYTES);
  return leaves <= 1 ? 0 : 32 - Math.clz32(leaves - 1);
}
