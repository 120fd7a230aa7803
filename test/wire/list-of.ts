import { isPortError } from '../../core/ports/error.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import { encodeNv, type NvPair } from '../../core/wire/nv.js';

/** The list that a peer reads when we send `pairs`. */
export function listOf(pairs: readonly NvPair[]): NvList {
  const list = decodeNv(encodeNv(pairs));
  if (isPortError(list)) throw new Error(list.message);
  return list;
}
