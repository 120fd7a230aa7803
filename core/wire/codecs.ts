/** The Codecs port in TypeScript; only sha256 comes from outside. */
import type { Codecs } from '../ports/codecs.js';
import { crc32 } from './crc32.js';
import { LzfEncoder, lzfDecompress } from './lzf.js';
import { isZero } from './zero.js';

/** `sha256` gives the 32-byte digest. */
export function tsCodecs(sha256: (data: Uint8Array) => Uint8Array): Codecs {
  const encoder = new LzfEncoder();
  return {
    crc32,
    sha256,
    isZero,
    lzfCompress: (source, target) => encoder.compress(source, target),
    lzfDecompress,
  };
}
