/**
 * Codecs for production: what Node or the addon has as native code, the rest from core/wire. They equal the TypeScript
 * ones byte for byte.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Codecs } from '../core/ports/codecs.js';
import { tsCodecs } from '../core/wire/codecs.js';
import type { Addon } from './addon.js';

/** Data that is shorter is tested faster than the addon is called. */
const LEAST_NATIVE_BYTES = 1024;

export function nodeCodecs(addon: Addon | null): Codecs {
  const codecs = {
    ...tsCodecs((data) => createHash('sha256').update(data).digest()),
    crc32: (data: Uint8Array) => crc32(data),
  };
  if (addon === null) return codecs;
  return {
    ...codecs,
    isZero(data) {
      // Most data shows at its ends that it is no hole.
      if (data[0] !== 0 || data[data.length - 1] !== 0) return data.length === 0;
      return data.length < LEAST_NATIVE_BYTES ? codecs.isZero(data) : addon.isZero(data);
    },
    lzfCompress: (source, target) => addon.lzfCompress(source, target),
    lzfDecompress: (source, target) => addon.lzfDecompress(source, target),
  };
}
