import { describe, expect, it } from 'vitest';
import { encodeNv, nv, nvBytes, writeNv, type NvPair } from '../../core/wire/nv.js';
import { hex } from './hex.js';

describe('encoding an nv list', () => {
  it('writes the derived examples of the specification', () => {
    expect(encodeNv([nv.uint64('seq', 7)])).toEqual(
      hex('08 04 08000000 | 7365710000000000 | 0700000000000000'),
    );
    expect(encodeNv([nv.string('resource', 'r0')])).toEqual(
      hex('11 09 03000000 | 7265736f757263650000000000000000 | 7230000000000000'),
    );
  });

  const VALUES: [NvPair, string][] = [
    [nv.int8('a', -1), '01 02 01000000 | 6100000000000000 | ff00000000000000'],
    [nv.uint8('a', 255), '02 02 01000000 | 6100000000000000 | ff00000000000000'],
    [nv.int16('a', -2), '03 02 02000000 | 6100000000000000 | feff000000000000'],
    [nv.int32('a', -2147483648), '05 02 04000000 | 6100000000000000 | 0000008000000000'],
    [nv.uint32('a', 4294967295), '06 02 04000000 | 6100000000000000 | ffffffff00000000'],
    [nv.int64('a', -4), '07 02 08000000 | 6100000000000000 | fcffffffffffffff'],
    [nv.int64('a', -(2n ** 63n)), '07 02 08000000 | 6100000000000000 | 0000000000000080'],
    [nv.uint64('a', 2 ** 53 - 1), '08 02 08000000 | 6100000000000000 | ffffffffffff1f00'],
    [nv.uint64('a', 2n ** 64n - 1n), '08 02 08000000 | 6100000000000000 | ffffffffffffffff'],
    [nv.string('a', ''), '11 02 01000000 | 6100000000000000 | 0000000000000000'],
    [nv.string('a', 'exactly8'), '11 02 09000000 | 6100000000000000 | 65786163746c79380000000000000000'],
    [nv.bytes('a', hex('0102')), '0a 02 02000000 | 6100000000000000 | 0102000000000000'],
    [{ name: 'a', type: 'int16[]', value: [1, -1] }, '0b 02 04000000 | 6100000000000000 | 0100ffff00000000'],
    [
      { name: 'a', type: 'uint64[]', value: [1n, 2] },
      '10 02 10000000 | 6100000000000000 | 01000000000000000200000000000000',
    ],
  ];
  it.each(VALUES)('writes %o', (pair, bytes) => {
    expect(encodeNv([pair])).toEqual(hex(bytes));
  });

  it('knows its length before, and writes into the middle of a buffer', () => {
    const pairs = [nv.uint8('cmd', 5), nv.string('a name of 18 char', 'some text')];
    const alone = encodeNv(pairs);
    expect(nvBytes(pairs)).toBe(alone.length);
    const target = new Uint8Array(alone.length + 10);
    writeNv(pairs, target, 7);
    expect(target.subarray(7, -3)).toEqual(alone);
    expect(encodeNv([])).toEqual(new Uint8Array(0));
  });

  it('writes a character that is no byte as a question mark', () => {
    expect(encodeNv([nv.string('a', 'é€')])).toEqual(encodeNv([nv.string('a', 'é?')]));
  });

  const BUGS: NvPair[] = [
    nv.uint8('a', 256),
    nv.uint8('a', -1),
    nv.uint8('a', 1.5),
    nv.int16('a', 32768),
    nv.int32('a', -2147483649),
    nv.uint64('a', 2 ** 53),
    nv.uint64('a', -1n),
    nv.uint64('a', 2n ** 64n),
    nv.int64('a', 2n ** 63n),
    nv.string('a', 'NUL\0inside'),
    nv.string('', 'empty name'),
    nv.string('x'.repeat(255), 'long name'),
    nv.bytes('a', new Uint8Array(0)),
    { name: 'a', type: 'int16[]', value: [1n] },
  ];
  it.each(BUGS)('asserts on what cannot be encoded: %o', (pair) => {
    expect(() => encodeNv([pair])).toThrow(/nv/);
  });
});
