/**
 * The nv list: every HAST message, on the network and on the control socket, is a 5-byte header and one of these
 * (core/spec/wire.md section 3). A list is a row of named, typed values; all numbers are little-endian.
 *
 * This file has the types and the encoder; `nv-list.ts` reads.
 */
import { assert, unreachable } from '../base/assert.js';
import { roundUp, viewOf } from '../base/bytes.js';

/** Integers that a JavaScript number holds. */
export type NumberType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32';
export type WideType = 'int64' | 'uint64';
export type ScalarType = NumberType | WideType;
export type ArrayType = `${ScalarType}[]`;
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

export type NumberArrayType = Exclude<ArrayType, 'uint8[]'>;

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

interface Layout {
  readonly type: NvType;
  readonly code: number;
  /** What one element is: the scalar itself, an array's item, a string's character. */
  readonly element: ScalarType;
  readonly elementBytes: number;
  readonly shape: 'scalar' | 'array' | 'string';
}

const ELEMENT_BYTES: Record<ScalarType, number> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
};

const SCALARS = Object.keys(ELEMENT_BYTES) as ScalarType[];

/** By code, 1 to 17: eight scalars, eight arrays, the string. */
const LAYOUTS: readonly Layout[] = [
  ...SCALARS.map((element, i) => layout(element, 1 + i, element, 'scalar')),
  ...SCALARS.map((element, i) => layout(`${element}[]`, 9 + i, element, 'array')),
  layout('string', 17, 'uint8', 'string'),
];

function layout(type: NvType, code: number, element: ScalarType, shape: Layout['shape']): Layout {
  return { type, code, element, elementBytes: ELEMENT_BYTES[element], shape };
}

/** The layout of a type code, or null for a code that does not exist. */
export function layoutOfCode(code: number): Layout | null {
  return LAYOUTS[code - 1] ?? null;
}

const LAYOUT_OF_TYPE = new Map(LAYOUTS.map((each) => [each.type, each]));

export function layoutOf(type: NvType): Layout {
  const found = LAYOUT_OF_TYPE.get(type);
  assert(found !== undefined, `nv type ${type}`);
  return found;
}

export const PAIR_HEADER_BYTES = 6;
export const MAX_NAME_LENGTH = 254;
const TWO_TO_32 = 0x1_0000_0000;

/** Encoded length of `pairs` in bytes. */
export function nvBytes(pairs: readonly NvPair[]): number {
  let bytes = 0;
  for (const pair of pairs)
    bytes += PAIR_HEADER_BYTES + roundUp(pair.name.length + 1, 8) + roundUp(valueBytes(pair), 8);
  return bytes;
}

/** The list as bytes, padding zero. A name or value that cannot be encoded is a bug. */
export function encodeNv(pairs: readonly NvPair[]): Uint8Array {
  const bytes = new Uint8Array(nvBytes(pairs));
  writeNv(pairs, bytes, 0);
  return bytes;
}

/** Writes the list to `target` from `at` on, where it must hold `nvBytes(pairs)` zero bytes. */
export function writeNv(pairs: readonly NvPair[], target: Uint8Array, at: number): void {
  for (const pair of pairs) {
    const nameBytes = pair.name.length + 1;
    const size = valueBytes(pair);
    assert(nameBytes > 1 && nameBytes <= MAX_NAME_LENGTH + 1, `nv name of ${pair.name.length} characters`);
    assert(size > 0, `nv ${pair.name}: an array needs an element`);
    target[at] = layoutOf(pair.type).code;
    target[at + 1] = nameBytes;
    writeInteger(target, at + 2, 4, size);
    writeText(target, at + PAIR_HEADER_BYTES, pair.name);
    at += PAIR_HEADER_BYTES + roundUp(nameBytes, 8);
    writeValue(target, at, pair);
    at += roundUp(size, 8);
  }
}

/** Length of the value without padding. */
function valueBytes(pair: NvPair): number {
  if (pair.type === 'string') return pair.value.length + 1;
  const { elementBytes } = layoutOf(pair.type);
  return typeof pair.value === 'object' ? elementBytes * pair.value.length : elementBytes;
}

function writeValue(target: Uint8Array, at: number, pair: NvPair): void {
  switch (pair.type) {
    case 'string':
      return writeText(target, at, pair.value);
    case 'uint8[]':
      return target.set(pair.value, at);
    case 'int8[]':
    case 'int16[]':
    case 'uint16[]':
    case 'int32[]':
    case 'uint32[]':
    case 'int64[]':
    case 'uint64[]': {
      const { element, elementBytes } = layoutOf(pair.type);
      pair.value.forEach((value, i) => writeScalar(target, at + i * elementBytes, element, value));
      return;
    }
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'uint64':
      return writeScalar(target, at, pair.type, pair.value);
    default:
      return unreachable(pair);
  }
}

function writeScalar(target: Uint8Array, at: number, type: ScalarType, value: bigint | number): void {
  const bytes = ELEMENT_BYTES[type];
  const signed = !type.startsWith('u');
  if (typeof value === 'bigint') {
    const bits = bytes * 8;
    assert(
      (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value,
      `${type} of ${value}`,
    );
    viewOf(target).setBigUint64(at, BigInt.asUintN(64, value), true);
  } else {
    const range = 2 ** (bytes * 8 - (signed ? 1 : 0));
    const inRange = value < range && value >= (signed ? -range : 0);
    assert(inRange && Number.isSafeInteger(value), `${type} of ${value}`);
    writeInteger(target, at, bytes, value);
  }
}

/** Little-endian two's complement of a safe integer, 1 to 8 bytes. */
function writeInteger(target: Uint8Array, at: number, bytes: number, value: number): void {
  const high = Math.floor(value / TWO_TO_32);
  for (let i = 0; i < bytes; i++) target[at + i] = (i < 4 ? value : high) >>> (8 * (i & 3));
}

function writeText(target: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    assert(code !== 0, 'nv text holds NUL');
    target[at + i] = code > 0xff ? 0x3f : code;
  }
}
