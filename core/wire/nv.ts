/**
 * The nv list: every HAST message, on the network and on the control socket, is a 5-byte header and one of these
 * (core/spec/wire.md section 3). A list is a row of named, typed values; all numbers are little-endian.
 *
 * This file has the types and the encoder; `nv-list.ts` reads.
 */
import { assert } from '../base/assert.js';
import { putUint32, viewOf } from '../base/bytes.js';
import { newBuffer } from '../base/slab.js';

/** Integers that a JavaScript number holds. */
export type NumberType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32';
export type WideType = 'int64' | 'uint64';
export type ScalarType = NumberType | WideType;
type ArrayType = `${ScalarType}[]`;
export type NvType = ScalarType | ArrayType | 'string';

/**
 * One named value. A 64-bit value is a bigint, or a safe integer where that is enough (both encode alike).
 * `uint8[]`, the only array that HAST uses, is plain bytes; the others are lists of numbers. Names (1 to 254) and
 * strings are one byte per character, without NUL.
 */
export type NvPair =
  | { readonly name: string; readonly type: NumberType; readonly value: number }
  | { readonly name: string; readonly type: WideType; readonly value: bigint | number }
  | { readonly name: string; readonly type: 'string'; readonly value: string }
  | { readonly name: string; readonly type: 'uint8[]'; readonly value: Uint8Array }
  | { readonly name: string; readonly type: NumberArrayType; readonly value: readonly (bigint | number)[] };

type NumberArrayType = Exclude<ArrayType, 'uint8[]'>;

/** The pairs that HAST's messages are made of: `nv.uint8('cmd', 2)`. */
export const nv = {
  int8: (name: string, value: number): NvPair => ({ name, type: 'int8', value }),
  uint8: (name: string, value: number): NvPair => ({ name, type: 'uint8', value }),
  int16: (name: string, value: number): NvPair => ({ name, type: 'int16', value }),
  int32: (name: string, value: number): NvPair => ({ name, type: 'int32', value }),
  uint32: (name: string, value: number): NvPair => ({ name, type: 'uint32', value }),
  int64: (name: string, value: bigint | number): NvPair => ({ name, type: 'int64', value }),
  uint64: (name: string, value: bigint | number): NvPair => ({ name, type: 'uint64', value }),
  bytes: (name: string, value: Uint8Array): NvPair => ({ name, type: 'uint8[]', value }),
  string: (name: string, value: string): NvPair => ({ name, type: 'string', value }),
} as const;

export interface Layout {
  readonly type: NvType;
  readonly code: number;
  readonly shape: 'scalar' | 'array' | 'string';
  /** What one element is: the scalar itself, an array's item, a string's character. */
  readonly element: ScalarType;
  readonly elementBytes: number;
  readonly signed: boolean;
  /** Range of an element; of a 64-bit one, as far as numbers go. */
  readonly min: number;
  readonly max: number;
}

const SCALARS = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const;

/** By code, 1 to 17: eight scalars, eight arrays, the string. */
const LAYOUTS: readonly Layout[] = [
  ...SCALARS.map((element) => layout(element, 'scalar', element)),
  ...SCALARS.map((element) => layout(`${element}[]`, 'array', element)),
  layout('string', 'string', 'uint8'),
].map((each, i) => ({ ...each, code: i + 1 }));

function layout(type: NvType, shape: Layout['shape'], element: ScalarType): Omit<Layout, 'code'> {
  const elementBytes = 2 ** (SCALARS.indexOf(element) >>> 1);
  const signed = element.startsWith('int');
  const values = 2 ** (8 * elementBytes);
  const [min, max] = signed ? [-values / 2, values / 2 - 1] : [0, values - 1];
  return { type, shape, element, elementBytes, signed, min, max };
}

/** The layout of a type code, or null for a code that does not exist. */
export function layoutOfCode(code: number): Layout | null {
  return LAYOUTS[code - 1] ?? null;
}

/** What requests are made of comes first: a few comparisons are faster than a hash. */
const LAYOUTS_BY_USE = LAYOUTS.toSorted((a, b) => useOf(a) - useOf(b));

function useOf({ type }: Layout): number {
  const place = ['uint64', 'uint8', 'uint32', 'string', 'uint8[]', 'int16', 'int8'].indexOf(type);
  return place === -1 ? LAYOUTS.length : place;
}

export function layoutOf(type: NvType): Layout {
  for (const layout of LAYOUTS_BY_USE) if (layout.type === type) return layout;
  assert(false, `nv type ${type}`);
}

export const PAIR_HEADER_BYTES = 6;
const MAX_NAME_LENGTH = 254;
const TWO_TO_32 = 0x1_0000_0000;

/** Names and values are padded to multiples of 8 bytes; for lengths below 2^31. */
export function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Encoded length of `pairs` in bytes. */
export function nvBytes(pairs: readonly NvPair[]): number {
  let bytes = 0;
  for (const pair of pairs)
    bytes += PAIR_HEADER_BYTES + padded(pair.name.length + 1) + padded(valueBytes(layoutOf(pair.type), pair));
  return bytes;
}

/** The list as bytes, padding zero. A name or value that cannot be encoded is a bug. */
export function encodeNv(pairs: readonly NvPair[]): Uint8Array {
  const bytes = newBuffer(nvBytes(pairs));
  writeNv(pairs, bytes, 0);
  return bytes;
}

/** Writes the list to `target` from `at` on, where it must hold `nvBytes(pairs)` zero bytes. */
export function writeNv(pairs: readonly NvPair[], target: Uint8Array, at: number): void {
  for (const pair of pairs) {
    const nameBytes = pair.name.length + 1;
    const layout = layoutOf(pair.type);
    const size = valueBytes(layout, pair);
    assert(nameBytes > 1 && nameBytes <= MAX_NAME_LENGTH + 1, 'an nv name has 1 to 254 characters');
    assert(size > 0, 'an nv array has an element');
    target[at] = layout.code;
    target[at + 1] = nameBytes;
    putUint32(target, at + 2, size);
    writeText(target, at + PAIR_HEADER_BYTES, pair.name);
    at += PAIR_HEADER_BYTES + padded(nameBytes);
    writeValue(target, at, layout, pair);
    at += padded(size);
  }
}

/** Length of the value without padding. */
function valueBytes({ elementBytes }: Layout, pair: NvPair): number {
  if (pair.type === 'string') return pair.value.length + 1;
  return typeof pair.value === 'object' ? elementBytes * pair.value.length : elementBytes;
}

function writeValue(target: Uint8Array, at: number, layout: Layout, pair: NvPair): void {
  if (typeof pair.value === 'string') writeText(target, at, pair.value);
  else if (pair.value instanceof Uint8Array) target.set(pair.value, at);
  else if (typeof pair.value !== 'object') writeScalar(target, at, layout, pair.value);
  else pair.value.forEach((value, i) => writeScalar(target, at + i * layout.elementBytes, layout, value));
}

function writeScalar(target: Uint8Array, at: number, layout: Layout, value: bigint | number): void {
  if (typeof value === 'bigint') return writeBigint(target, at, layout, value);
  const { min, max } = layout;
  // The text costs more than all the rest.
  if (!Number.isSafeInteger(value) || value < min || value > max)
    assert(false, `nv ${layout.type} of ${value}`);
  writeInteger(target, at, Math.min(layout.elementBytes, 4), value);
  if (layout.elementBytes === 8) writeInteger(target, at + 4, 4, Math.floor(value / TWO_TO_32));
}

function writeBigint(target: Uint8Array, at: number, layout: Layout, value: bigint): void {
  const cut = layout.signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  assert(cut === value && layout.elementBytes === 8, `nv ${layout.type} of ${value}`);
  viewOf(target).setBigUint64(at, BigInt.asUintN(64, value), true);
}

/** The low 1 to 4 bytes of a safe integer, in two's complement, the lowest first. */
function writeInteger(target: Uint8Array, at: number, bytes: number, value: number): void {
  for (let i = 0; i < bytes; i++) target[at + i] = value >>> (8 * i);
}

function writeText(target: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    assert(code !== 0, 'nv text holds NUL');
    target[at + i] = code > 0xff ? 0x3f : code;
  }
}
