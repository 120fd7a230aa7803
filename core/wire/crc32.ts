/**
 * Reflected CRC-32, polynomial 0xEDB88320, as in zlib (core/spec/wire.md section 4.1). Eight bytes a step ("slicing by
 * 8"): every payload goes through here when `checksum crc32` is configured.
 */
import { viewOf } from '../base/bytes.js';

const REFLECTED_POLYNOMIAL = 0xedb88320;
const STEP_BYTES = 8;
/** Eight tables of 256; table k is for a byte that has k more bytes of its step behind it. */
const TABLE = makeTable();

function makeTable(): Int32Array {
  const table = new Int32Array(STEP_BYTES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ REFLECTED_POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const shorter = table[i - 256] ?? 0;
    table[i] = (shorter >>> 8) ^ (table[shorter & 0xff] ?? 0);
  }
  return table;
}

/** The checksum of `data` as an unsigned 32-bit number. */
export function crc32(data: Uint8Array): number {
  const view = viewOf(data);
  const wholeSteps = data.length - (data.length % STEP_BYTES);
  let crc = -1;
  for (let at = 0; at < wholeSteps; at += STEP_BYTES) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      (TABLE[0x700 | (low & 0xff)] ?? 0) ^
      (TABLE[0x600 | ((low >>> 8) & 0xff)] ?? 0) ^
      (TABLE[0x500 | ((low >>> 16) & 0xff)] ?? 0) ^
      (TABLE[0x400 | (low >>> 24)] ?? 0) ^
      (TABLE[0x300 | (high & 0xff)] ?? 0) ^
      (TABLE[0x200 | ((high >>> 8) & 0xff)] ?? 0) ^
      (TABLE[0x100 | ((high >>> 16) & 0xff)] ?? 0) ^
      (TABLE[high >>> 24] ?? 0);
  }
  for (let at = wholeSteps; at < data.length; at++)
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (data[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
