/** Byte helpers; ES2023 alone has no TextEncoder, and names on wire and disk are plain bytes. */

/** The bytes of `text`, one per character (Latin-1). Characters above 0xff become '?'. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code > 0xff ? 0x3f : code;
  }
  return bytes;
}

/** The text of the bytes from `start` to `end`, one character per byte (Latin-1). */
export function textOf(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const place = (end - start + (bytes[start] ?? 0)) & (REMEMBERED_TEXTS - 1);
  const remembered = texts[place] ?? '';
  if (isText(bytes, start, end, remembered)) return remembered;
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  if (text.length <= MAX_REMEMBERED_LENGTH) texts[place] = text;
  return text;
}

/** Messages are full of the same few words, and making a string costs more than comparing one. */
const REMEMBERED_TEXTS = 64;
const MAX_REMEMBERED_LENGTH = 16;
const texts: string[] = [];

function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** A DataView over exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The little-endian number in the four bytes at `at`, without making a DataView. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}

/** Puts the low 32 bits of a safe integer, the lowest byte first, into the four bytes at `at`. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** True when both hold the same bytes; takes the same time wherever they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** `value` rounded up to a multiple of `unit` (safe integers, not 32-bit arithmetic). */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
