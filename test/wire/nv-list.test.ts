import { describe, expect, it } from 'vitest';
import { isPortError } from '../../core/ports/error.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import { nv, type NvPair } from '../../core/wire/nv.js';
import { hex } from './hex.js';
import { listOf } from './list-of.js';

describe('looking values up', () => {
  const list = listOf([
    nv.int8('int8', -1),
    nv.uint8('uint8', 200),
    nv.int16('int16', -300),
    { name: 'uint16', type: 'uint16', value: 65535 },
    nv.int32('int32', -70000),
    nv.uint32('uint32', 4294967295),
    nv.int64('int64', -5n),
    nv.uint64('uint64', 2n ** 64n - 1n),
    nv.bytes('bytes', hex('0102')),
    nv.string('string', 'caf\xe9'),
    nv.uint8('twice', 1),
    nv.uint8('twice', 2),
  ]);

  it('says where pairs begin and where the last one ends', () => {
    const pairs = listOf([nv.uint8('cmd', 1), nv.string('text', 'abc')]);
    expect([pairs.startOf('cmd'), pairs.startOf('text'), pairs.startOf('none')]).toEqual([0, 22, -1]);
    expect(pairs.byteLength).toBe(44);
  });

  it('reads an array of 64-bit numbers', () => {
    const value = [0, 2 ** 53 - 1, 2n ** 64n - 1n];
    const arrays = listOf([
      { name: 'wide', type: 'uint64[]', value },
      { name: 'narrow', type: 'uint32[]', value: [1] },
    ]);
    expect(arrays.numbers('wide')).toEqual(value.map(Number));
    expect([arrays.numbers('narrow'), arrays.numbers('none')]).toEqual([null, null]);
  });

  it('reads each type', () => {
    expect(list.number('int8', 'int8')).toBe(-1);
    expect(list.number('uint8', 'uint8')).toBe(200);
    expect(list.number('int16', 'int16')).toBe(-300);
    expect(list.number('uint16', 'uint16')).toBe(65535);
    expect(list.number('int32', 'int32')).toBe(-70000);
    expect(list.number('uint32', 'uint32')).toBe(4294967295);
    expect(list.bigint('int64', 'int64')).toBe(-5n);
    expect(list.bigint('uint64', 'uint64')).toBe(2n ** 64n - 1n);
    expect(list.bytes('bytes')).toEqual(hex('0102'));
    expect(list.string('string')).toBe('caf\xe9');
  });

  it('takes another type, another case and a missing name for missing', () => {
    expect(list.number('uint8', 'int8')).toBeNull();
    expect(list.number('int64', 'uint8')).toBeNull();
    expect(list.bigint('uint64', 'int64')).toBeNull();
    expect(list.string('bytes')).toBeNull();
    expect(list.bytes('string')).toBeNull();
    expect(list.number('UINT8', 'uint8')).toBeNull();
    expect(list.number('uint', 'uint8')).toBeNull();
    expect(list.safeInteger('nothing', 'uint64')).toBeNull();
    expect(list.has('nothing')).toBe(false);
    expect(list.has('bytes')).toBe(true);
  });

  it('takes the first of two', () => {
    expect(list.number('twice', 'uint8')).toBe(1);
    const wrongFirst = listOf([nv.uint32('twice', 1), nv.uint8('twice', 2)]);
    expect(wrongFirst.number('twice', 'uint8')).toBeNull();
  });

  it('reads 64-bit values as safe integers, and what is none as missing', () => {
    const read = (pair: NvPair): number | null => {
      const type = pair.type === 'int64' ? 'int64' : 'uint64';
      return listOf([pair]).safeInteger(pair.name, type);
    };
    expect(read(nv.uint64('a', 0))).toBe(0);
    expect(read(nv.uint64('a', 2 ** 53 - 1))).toBe(2 ** 53 - 1);
    expect(read(nv.uint64('a', 2n ** 53n))).toBeNull();
    expect(read(nv.int64('a', 2 ** 40))).toBe(2 ** 40);
    expect(read(nv.int64('a', -1))).toBeNull();
    expect(read(nv.uint32('a', 1))).toBeNull();
  });

  it('finds names in a long list, the first of two as well', () => {
    const pairs = Array.from({ length: 3000 }, (_, i) => nv.uint32(`name${i % 2000}`, i));
    const long = listOf(pairs);
    expect(long.number('name1999', 'uint32')).toBe(1999);
    expect(long.number('name7', 'uint32')).toBe(7);
    expect(long.has('name2000')).toBe(false);
  });

  it('gives every pair back', () => {
    const pairs: NvPair[] = [
      nv.int8('a', -1),
      nv.uint64('b', 7n),
      nv.bytes('c', hex('0102')),
      nv.string('d', ''),
      { name: 'e', type: 'int16[]', value: [1, -1] },
      { name: 'f', type: 'uint64[]', value: [2n ** 63n] },
    ];
    expect(listOf(pairs).pairs()).toEqual(pairs);
  });
});

describe('validating a list', () => {
  const GOOD = '02 04 01000000 | 636d640000000000 | 0200000000000000';

  const ACCEPTED: [string, string, number][] = [
    ['nothing', '', 0],
    ['zeros only', '0000000000000000', 0],
    ['a zero byte ends the list, what follows is not looked at', `${GOOD} 00 ffffffffff`, 1],
    ['garbage in the padding of a name', '02 02 01000000 | 6100eeeeeeeeeeee | 0100000000000000', 1],
    ['a name of exactly seven characters', '02 08 01000000 | 6e616d6537636800 | 0100000000000000', 1],
  ];
  it.each(ACCEPTED)('accepts %s', (_, bytes, pairs) => {
    const list = decodeNv(hex(bytes));
    expect(isPortError(list) ? list : list.pairs().length).toBe(pairs);
  });

  const REFUSED: [string, string, RegExp][] = [
    ['a piece of a pair header', `${GOOD} 02040100`, /byte 22: 4 bytes left/],
    ['a name that passes the end', '02 20 01000000 | 6100000000000000', /name of 32 bytes passes the end/],
    ['no name at all', '02 00 01000000 | 0100000000000000', /empty name/],
    ['an empty name', '02 01 01000000 | 0000000000000000 | 0100000000000000', /empty name/],
    ['a name without NUL', '02 04 01000000 | 6161616161616161 | 0100000000000000', /name does not end/],
    ['a NUL inside a name', '02 04 01000000 | 6100620000000000 | 0100000000000000', /name does not end/],
    [
      'type 0 with the foreign order flag',
      '80 04 01000000 | 636d640000000000 | 0200000000000000',
      /type 0x80/,
    ],
    ['the foreign order flag', '82 04 01000000 | 636d640000000000 | 0200000000000000', /type 0x82/],
    ['type 18', '12 04 01000000 | 636d640000000000 | 0200000000000000', /type 0x12/],
    ['an empty value', '02 04 00000000 | 636d640000000000 | 0200000000000000', /no value/],
    [
      'a value that passes the end',
      '0a 04 09000000 | 636d640000000000 | 0200000000000000',
      /9 bytes passes the end/,
    ],
    [
      'a length that wraps 32 bits',
      '0a 04 ffffffff | 636d640000000000 | 0200000000000000',
      /4294967295 bytes passes/,
    ],
    ['a scalar of another width', '07 04 04000000 | 636d640000000000 | 0200000000000000', /int64 of 4 bytes/],
    ['a byte that is two', '02 04 02000000 | 636d640000000000 | 0200000000000000', /uint8 of 2 bytes/],
    [
      'an array with half an element',
      '0b 04 03000000 | 636d640000000000 | 0200000000000000',
      /int16\[\] of 3 bytes/,
    ],
    ['a string without NUL', '11 04 03000000 | 636d640000000000 | 6162630000000000', /string does not end/],
    [
      'a string with NUL inside',
      '11 04 03000000 | 636d640000000000 | 6100000000000000',
      /string does not end/,
    ],
  ];
  it.each(REFUSED)('refuses %s', (_, bytes, message) => {
    expect(decodeNv(hex(bytes))).toMatchObject({
      code: 'EINVAL',
      message: expect.stringMatching(message) as string,
    });
  });

  it('looks only at the bytes it was given', () => {
    const around = hex(`ffff ${GOOD} ffff`);
    const list = decodeNv(around.subarray(2, -2));
    expect(isPortError(list) ? list : list.number('cmd', 'uint8')).toBe(2);
  });
});
