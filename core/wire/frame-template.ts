/**
 * A message that goes by for every piece of device I/O differs from others of its kind in a few numbers only: it is encoded
 * once, with zeros for them, and then copied and patched.
 */
import { putUint32 } from '../base/bytes.js';
import { newBuffer } from '../base/slab.js';
import { assert } from '../base/assert.js';
import { encodeFrame, HEADER_BYTES } from './frame.js';
import { decodeNv, NvList } from './nv-list.js';
import type { NvPair } from './nv.js';

const TWO_TO_32 = 0x1_0000_0000;

export class FrameTemplate {
  readonly #frame: Uint8Array;
  readonly #list: NvList;

  constructor(version: number, pairs: readonly NvPair[]) {
    this.#frame = encodeFrame(version, pairs);
    const list = decodeNv(this.#frame.subarray(HEADER_BYTES));
    assert(list instanceof NvList, 'what was encoded can be decoded');
    this.#list = list;
  }

  /** Where in the frame the value of the first pair of that name is; 0: there is none. */
  placeOf(name: string): number {
    const at = this.#list.valueAt(name);
    return at < 0 ? 0 : HEADER_BYTES + at;
  }

  /** A frame of its own, to be patched. */
  copy(): Uint8Array {
    const frame = newBuffer(this.#frame.length);
    frame.set(this.#frame);
    return frame;
  }
}

/** Puts a safe integer that is not negative into the eight bytes of a `uint64`. */
export function putUint64(frame: Uint8Array, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) assert(false, `nv uint64 of ${value}`);
  putUint32(frame, at, value);
  putUint32(frame, at + 4, value / TWO_TO_32);
}
