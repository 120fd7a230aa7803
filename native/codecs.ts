/**
 * Codecs for production: digests that Node has as native code, the rest from core/wire. They equal the TypeScript ones
 * byte for byte.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Codecs } from '../core/ports/codecs.js';
import { tsCodecs } from '../core/wire/codecs.js';

export function nodeCodecs(): Codecs {
  const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());
  return { ...codecs, crc32: (data) => crc32(data) };
}
