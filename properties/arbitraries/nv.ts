import fc from 'fast-check';
import type { NvPair, NvType, ScalarType } from '../../core/wire/nv.js';

/** Text of one byte per character, without NUL. */
export function latin1(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength, maxLength, min: 1 }).map((bytes) => String.fromCharCode(...bytes));
}

/** Every scalar type and its values; 64-bit ones as bigints. */
const SCALARS: readonly (readonly [ScalarType, fc.Arbitrary<bigint | number>])[] = [
  ['int8', fc.integer({ min: -128, max: 127 })],
  ['uint8', fc.integer({ min: 0, max: 255 })],
  ['int16', fc.integer({ min: -32_768, max: 32_767 })],
  ['uint16', fc.integer({ min: 0, max: 65_535 })],
  ['int32', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
  ['uint32', fc.integer({ min: 0, max: 2 ** 32 - 1 })],
  ['int64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ['uint64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
];

function pairOf(type: NvType, value: fc.Arbitrary<unknown>): fc.Arbitrary<NvPair> {
  return fc.tuple(latin1(1, 254), value).map(([name, each]) => ({ name, type, value: each }) as NvPair);
}

/** Lists of any pairs; names may repeat. */
export const nvPairs: fc.Arbitrary<NvPair[]> = fc.array(
  fc.oneof(
    ...SCALARS.map(([type, value]) => pairOf(type, value)),
    ...SCALARS.filter(([type]) => type !== 'uint8').map(([type, value]) =>
      pairOf(`${type}[]`, fc.array(value, { minLength: 1, maxLength: 9 })),
    ),
    pairOf('uint8[]', fc.uint8Array({ minLength: 1, maxLength: 40 })),
    pairOf('string', latin1(0, 40)),
  ),
  { maxLength: 50 },
);
