/**
 * Small buffers, cut one after the other from larger ones: a buffer of its own costs a message more than all the rest of its
 * making. A piece is zeroed, nobody else's, and never used again; its slab goes when the last piece goes.
 */
const SLAB_BYTES = 65_536;
/** Longer buffers get memory of their own. */
const MAX_PIECE_BYTES = 4_096;
/** Pieces begin at multiples of this, so that words of any size can be read from them. */
const ALIGNMENT = 8;

let slab = new ArrayBuffer(0);
let used = 0;

/** A buffer of `length` zero bytes. */
export function newBuffer(length: number): Uint8Array {
  if (length > MAX_PIECE_BYTES) return new Uint8Array(length);
  if (used + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const start = used;
  used = Math.ceil((start + length) / ALIGNMENT) * ALIGNMENT;
  return new Uint8Array(slab, start, length);
}

/**
 * Engines begin large buffers 16 bytes after the start of a page, where copies to and from the page cache are four times
 * slower on some processors.
 */
const SHIFT_BYTES = 48;

/** Memory of its own for transfers: `length` zero bytes. */
export function newTransferBuffer(length: number): Uint8Array {
  return new Uint8Array(length + SHIFT_BYTES).subarray(SHIFT_BYTES);
}
