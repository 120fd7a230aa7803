/**
 * Reflected CRC-32, polynomial 0xEDB88320, as in zlib (core/spec/wire.md section 4.1). Sixteen bytes a step ("slicing by
 * 16"): every payload goes through here when `checksum crc32` is configured.
 */
import { viewOf } from '../base/bytes.js';

const REFLECTED_POLYNOMIAL = 0xedb88320;
const STEP_BYTES = 16;
/** Sixteen tables of 256; table k is for a byte that has k more bytes of its step behind it. */
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
    const a = crc ^ view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    crc = ofWord(a, 0xc00) ^ ofWord(b, 0x800) ^ ofWord(c, 0x400) ^ ofWord(d, 0);
  }
  for (let at = wholeSteps; at < data.length; at++)
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (data[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** What the four bytes of a word contribute; `tables`: where the table of the last one begins. */
function ofWord(word: number, tables: number): number {
  return (
    (TABLE[(tables + 0x300) | (word & 0xff)] ?? 0) ^
    (TABLE[(tables + 0x200) | ((word >>> 8) & 0xff)] ?? 0) ^
    (TABLE[(tables + 0x100) | ((word >>> 16) & 0xff)] ?? 0) ^
    (TABLE[tables | (word >>> 24)] ?? 0)
  );
}
