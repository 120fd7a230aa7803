/**
 * Reading an nv list (core/spec/wire.md section 3). The whole list is validated once; values are then read in place,
 * because a list comes with every request and only a handful of its values are looked up.
 */
import { textOf, uint32At, viewOf } from '../base/bytes.js';
import { portError, type PortError } from '../ports/error.js';
import {
  layoutOf,
  layoutOfCode,
  padded,
  type Layout,
  PAIR_HEADER_BYTES,
  type NumberType,
  type NvPair,
  type NvType,
  type ScalarType,
  type WideType,
} from './nv.js';

const TWO_TO_32 = 0x1_0000_0000;
/** The smallest header and name; what is left over at the end of a list must be at least this. */
const LEAST_PAIR_BYTES = 8;
/** Lists longer than this are searched through a map. */
const LONG_LIST_PAIRS = 32;

/**
 * A validated list. Lookups take the first pair of that name and treat another type like a missing one (null): what
 * "missing" means is up to the message. The list reads from the bytes it was decoded from, so it is valid as long as
 * they are; what `bytes` returns is a view of them.
 */
export class NvList {
  /** Bytes that the pairs take. */
  readonly byteLength: number;
  readonly #bytes: Uint8Array;
  /** Where each pair begins. */
  readonly #starts: readonly number[];
  #startOfName: Map<string, number> | null = null;

  /** `starts` are the positions of valid pairs, the last of which ends at `end`; use `decodeNv`. */
  constructor(bytes: Uint8Array, starts: readonly number[], end: number) {
    this.#bytes = bytes;
    this.#starts = starts;
    this.byteLength = end;
  }

  /** Where the first pair of that name begins, in bytes; -1: there is none. */
  startOf(name: string): number {
    return this.#find(name);
  }

  /** Where the value of the first pair of that name begins, in bytes; -1: there is none. */
  valueAt(name: string): number {
    const start = this.#find(name);
    return start < 0 ? -1 : this.#valueAt(start);
  }

  /** True when the name is there, whatever its type and value. */
  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  number(name: string, type: NumberType): number | null {
    const layout = layoutOf(type);
    const start = this.#find(name);
    if (start < 0 || this.#bytes[start] !== layout.code) return null;
    return this.#readNumber(this.#valueAt(start), layout);
  }

  bigint(name: string, type: WideType): bigint | null {
    const start = this.#findTyped(name, type);
    return start < 0 ? null : this.#readBigint(this.#valueAt(start), type);
  }

  /** A 64-bit value as a number: null, too, when it is negative or above 2^53-1. Costs no bigint. */
  safeInteger(name: string, type: WideType): number | null {
    const start = this.#findTyped(name, type);
    if (start < 0) return null;
    const value = this.#readWide(this.#valueAt(start));
    return Number.isSafeInteger(value) ? value : null;
  }

  /** A `uint8[]`, as a view of the list's bytes. */
  bytes(name: string): Uint8Array | null {
    const start = this.#findTyped(name, 'uint8[]');
    return start < 0 ? null : this.#valueOf(start);
  }

  string(name: string): string | null {
    const start = this.#findTyped(name, 'string');
    return start < 0 ? null : this.#textOf(start);
  }

  /** The items of a `uint64[]` as numbers, which are not exact above 2^53-1. */
  numbers(name: string): number[] | null {
    const start = this.#findTyped(name, 'uint64[]');
    if (start < 0) return null;
    const at = this.#valueAt(start);
    const items = uint32At(this.#bytes, start + 2) / 8;
    return Array.from({ length: items }, (_, i) => this.#readWide(at + 8 * i));
  }

  /** Every pair in order, 64-bit values as bigints. */
  pairs(): NvPair[] {
    return this.#starts.map((start) => this.#pairAt(start));
  }

  #find(name: string): number {
    if (this.#starts.length > LONG_LIST_PAIRS) return this.#findInMap(name);
    for (const start of this.#starts) if (this.#isNamed(start, name)) return start;
    return -1;
  }

  #findInMap(name: string): number {
    if (this.#startOfName === null) {
      this.#startOfName = new Map();
      for (const start of this.#starts.toReversed()) this.#startOfName.set(this.#nameAt(start), start);
    }
    return this.#startOfName.get(name) ?? -1;
  }

  #findTyped(name: string, type: NvType): number {
    const start = this.#find(name);
    return start >= 0 && this.#bytes[start] === layoutOf(type).code ? start : -1;
  }

  #isNamed(start: number, name: string): boolean {
    if (this.#bytes[start + 1] !== name.length + 1) return false;
    const at = start + PAIR_HEADER_BYTES;
    for (let i = 0; i < name.length; i++) if (this.#bytes[at + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #nameAt(start: number): string {
    const at = start + PAIR_HEADER_BYTES;
    return textOf(this.#bytes, at, at + (this.#bytes[start + 1] ?? 0) - 1);
  }

  #valueAt(start: number): number {
    return start + PAIR_HEADER_BYTES + padded(this.#bytes[start + 1] ?? 0);
  }

  #valueOf(start: number): Uint8Array {
    const at = this.#valueAt(start);
    return this.#bytes.subarray(at, at + uint32At(this.#bytes, start + 2));
  }

  /** Of a string's value. */
  #textOf(start: number): string {
    const at = this.#valueAt(start);
    return textOf(this.#bytes, at, at + uint32At(this.#bytes, start + 2) - 1);
  }

  #readNumber(at: number, { elementBytes, signed }: Layout): number {
    let value = 0;
    for (let i = 0; i < elementBytes; i++) value |= (this.#bytes[at + i] ?? 0) << (8 * i);
    const unused = 32 - 8 * elementBytes;
    return signed ? (value << unused) >> unused : value >>> 0;
  }

  #readWide(at: number): number {
    return uint32At(this.#bytes, at + 4) * TWO_TO_32 + uint32At(this.#bytes, at);
  }

  #readBigint(at: number, type: WideType): bigint {
    const view = viewOf(this.#bytes);
    return type === 'int64' ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
  }

  #readScalar(at: number, type: ScalarType): bigint | number {
    if (type === 'int64' || type === 'uint64') return this.#readBigint(at, type);
    return this.#readNumber(at, layoutOf(type));
  }

  #pairAt(start: number): NvPair {
    const { type, element, elementBytes, shape } = layoutOfCode(this.#bytes[start] ?? 0) ?? layoutOf('uint8');
    const name = this.#nameAt(start);
    const value = this.#valueOf(start);
    const at = this.#valueAt(start);
    if (shape === 'string') return { name, type: 'string', value: this.#textOf(start) };
    if (type === 'uint8[]') return { name, type, value };
    if (shape === 'scalar') return { name, type, value: this.#readScalar(at, element) } as NvPair;
    const values = Array.from({ length: value.length / elementBytes }, (_, i) =>
      this.#readScalar(at + i * elementBytes, element),
    );
    return { name, type, value: values } as NvPair;
  }
}

/**
 * Validates a list. EINVAL names the place and the fault; such a message is fatal to its connection. Empty names and
 * the foreign byte order flag, which the reference accepts but never sends, are refused. No bytes are an empty list.
 */
export function decodeNv(bytes: Uint8Array): NvList | PortError {
  const starts: number[] = [];
  let at = 0;
  // A zero byte where a pair would begin ends the list; what follows it is not looked at.
  while (at < bytes.length && bytes[at] !== 0) {
    const end = pairEnd(bytes, at);
    if (typeof end === 'string') return portError('EINVAL', `nv list, pair at byte ${at}: ${end}`);
    starts.push(at);
    at = end;
  }
  return new NvList(bytes, starts, at);
}

/** Where the pair that begins at `start` ends, or what is wrong with it. */
function pairEnd(bytes: Uint8Array, start: number): number | string {
  const left = bytes.length - start;
  if (left < LEAST_PAIR_BYTES) return `${left} bytes left, too few for a pair`;
  const nameBytes = bytes[start + 1] ?? 0;
  const nameAt = start + PAIR_HEADER_BYTES;
  const valueAt = nameAt + padded(nameBytes);
  if (valueAt > bytes.length) return `a name of ${nameBytes} bytes passes the end`;
  if (nameBytes < 2) return 'empty name';
  if (!isText(bytes, nameAt, nameBytes)) return 'the name does not end where it should';

  const code = bytes[start] ?? 0;
  const layout = layoutOfCode(code);
  if (layout === null) return `unknown type 0x${code.toString(16)}`;
  const size = uint32At(bytes, start + 2);
  if (size === 0) return 'no value';
  const end = valueAt + (size > bytes.length ? size : padded(size));
  if (end > bytes.length) return `a value of ${size} bytes passes the end`;
  if (layout.shape === 'scalar' && size !== layout.elementBytes) return `${layout.type} of ${size} bytes`;
  if (size % layout.elementBytes !== 0) return `${layout.type} of ${size} bytes`;
  if (layout.shape === 'string' && !isText(bytes, valueAt, size))
    return 'the string does not end where it should';
  return end;
}

/** The last of these bytes, and no other, is NUL. */
function isText(bytes: Uint8Array, at: number, length: number): boolean {
  const last = at + length - 1;
  for (let i = at; i < last; i++) if (bytes[i] === 0) return false;
  return bytes[last] === 0;
}
