import { sha256 } from '@noble/hashes/sha2.js';
import type { Codecs } from '../core/ports/codecs.js';
import { tsCodecs } from '../core/wire/codecs.js';

/** All in TypeScript, so that the simulator runs anywhere. */
export const simCodecs: Codecs = tsCodecs(sha256);
