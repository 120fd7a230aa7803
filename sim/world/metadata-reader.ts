/**
 * Metadata blocks, decoded. The same few blocks are looked at over and over, as they are written, become visible and become
 * durable, so those that were seen last are remembered.
 */
import { decodeMetadata, type Metadata, type MetadataExpectation } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import { simCodecs } from '../codecs.js';

interface Seen {
  readonly words: Uint32Array;
  mediaSize: number;
  metadata: Metadata | null;
}

const REMEMBERED = 4;

export class MetadataReader {
  readonly #block = new Uint8Array(METADATA_BYTES);
  readonly #words = new Uint32Array(this.#block.buffer);
  readonly #seen: Seen[] = [];
  #next = 0;

  /** What begins with this block; null when it cannot be understood. */
  read(image: Uint8Array, expected: MetadataExpectation): Metadata | null {
    const words = this.#wordsOf(image);
    const { mediaSize } = expected;
    for (const seen of this.#seen) {
      if (seen.mediaSize === mediaSize && equal(seen.words, words)) return seen.metadata;
    }
    this.#words.set(words);
    const decoded = decodeMetadata(this.#block, expected, simCodecs);
    const metadata = isPortError(decoded) ? null : decoded;
    const oldest = this.#seen[this.#next];
    if (oldest === undefined) this.#seen.push({ words: words.slice(), mediaSize, metadata });
    else {
      oldest.words.set(words);
      oldest.mediaSize = mediaSize;
      oldest.metadata = metadata;
    }
    this.#next = (this.#next + 1) % REMEMBERED;
    return metadata;
  }

  /** The block at the start of the image, without a copy where it can be. */
  #wordsOf(image: Uint8Array): Uint32Array {
    if (image.byteOffset % 4 === 0)
      return new Uint32Array(image.buffer, image.byteOffset, METADATA_BYTES / 4);
    this.#block.set(image.subarray(0, METADATA_BYTES));
    return this.#words;
  }
}

/** Four words at a time: blocks are compared all the time. */
function equal(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i += 4) {
    const first = ((a[i] ?? 0) ^ (b[i] ?? 0)) | ((a[i + 1] ?? 0) ^ (b[i + 1] ?? 0));
    const last = ((a[i + 2] ?? 0) ^ (b[i + 2] ?? 0)) | ((a[i + 3] ?? 0) ^ (b[i + 3] ?? 0));
    if ((first | last) !== 0) return false;
  }
  return true;
}
