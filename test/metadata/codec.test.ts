import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  decodeMetadata,
  encodeFreshMetadata,
  encodeMetadata,
  MAX_LOCAL_BAD,
  parseMetadata,
} from '../../core/metadata/codec.js';
import type { Metadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { encodeNv, nv } from '../../core/wire/nv.js';
import type { NvPair } from '../../core/wire/nv.js';

const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());

const GIB = 1_073_741_824;
const metadata: Metadata = {
  resource: 'test',
  datasize: GIB - 4608,
  extentsize: 2_097_152,
  keepdirty: 64,
  localoff: 4608,
  resuid: 0x8877665544332211n,
  localcnt: 3n,
  remotecnt: 2n,
  prevrole: 'secondary',
  incomplete: false,
  localBad: [],
};
const expected = { resource: 'test', mediaSize: GIB, sectorSize: 512 };

/** The test vector of core/spec/metadata.md section 2.3. */
const CREATED = `
  11 09 05 00 00 00 72 65 73 6f 75 72 63 65 00 00 00 00 00 00 00 00 74 65 73 74 00 00 00 00 08 09
  08 00 00 00 64 61 74 61 73 69 7a 65 00 00 00 00 00 00 00 00 00 ee ff 3f 00 00 00 00 06 0b 04 00
  00 00 65 78 74 65 6e 74 73 69 7a 65 00 00 00 00 00 00 00 00 20 00 00 00 00 00 06 0a 04 00 00 00
  6b 65 65 70 64 69 72 74 79 00 00 00 00 00 00 00 40 00 00 00 00 00 00 00 08 07 08 00 00 00 6f 66
  66 73 65 74 00 00 00 12 00 00 00 00 00 00 08 07 08 00 00 00 72 65 73 75 69 64 00 00 00 00 00 00
  00 00 00 00 08 09 08 00 00 00 6c 6f 63 61 6c 63 6e 74 00 00 00 00 00 00 00 00 00 00 00 00 00 00
  00 00 08 0a 08 00 00 00 72 65 6d 6f 74 65 63 6e 74 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
  11 09 05 00 00 00 70 72 65 76 72 6f 6c 65 00 00 00 00 00 00 00 00 69 6e 69 74 00 00 00 00`;

function blockOf(pairs: readonly NvPair[]): Uint8Array {
  const bytes = new Uint8Array(METADATA_BYTES);
  bytes.set(encodeNv(pairs));
  return bytes;
}

/** The nine fields as create writes them, some replaced or left out. */
function fields(changes: Readonly<Record<string, NvPair | null>>): NvPair[] {
  const pairs = [
    nv.string('resource', 'test'),
    nv.uint64('datasize', GIB - 4608),
    nv.uint32('extentsize', 2_097_152),
    nv.uint32('keepdirty', 64),
    nv.uint64('offset', 4608),
    nv.uint64('resuid', 0n),
    nv.uint64('localcnt', 0n),
    nv.uint64('remotecnt', 0n),
    nv.string('prevrole', 'init'),
  ];
  return pairs
    .map((pair) => (pair.name in changes ? changes[pair.name] : pair))
    .filter((pair) => pair !== null && pair !== undefined);
}

function faultOf(pairs: readonly NvPair[], expectation = expected): string {
  const decoded = decodeMetadata(blockOf(pairs), expectation, codecs);
  return isPortError(decoded) ? decoded.message : 'accepted';
}

describe('encoding', () => {
  test('create writes the bytes of the specification and zeros', () => {
    const block = encodeFreshMetadata(metadata);
    const vector = Buffer.from(CREATED.replaceAll(/\s/g, ''), 'hex');
    expect(Buffer.from(block.subarray(0, vector.length)).toString('hex')).toBe(vector.toString('hex'));
    expect(block).toHaveLength(METADATA_BYTES);
    expect(block.subarray(vector.length).every((byte) => byte === 0)).toBe(true);
  });

  test('a running node adds a checksum to the nine fields and the reference would read them', () => {
    const block = encodeMetadata(metadata, codecs);
    expect(decodeMetadata(block, expected, codecs)).toEqual(metadata);
  });

  test('the largest list of our own fields fits with the longest name', () => {
    const largest: Metadata = {
      ...metadata,
      resource: 'r'.repeat(254),
      incomplete: true,
      localBad: Array.from({ length: MAX_LOCAL_BAD }, (_, at) => ({ offset: at * 1024, length: 512 })),
    };
    const block = encodeMetadata(largest, codecs);
    expect(decodeMetadata(block, { ...expected, resource: largest.resource }, codecs)).toEqual(largest);
  });
});

describe('decoding', () => {
  test('what create wrote is a virgin copy', () => {
    expect(decodeMetadata(encodeFreshMetadata(metadata), expected, codecs)).toEqual({
      ...metadata,
      resuid: 0n,
      localcnt: 0n,
      remotecnt: 0n,
      prevrole: 'init',
    });
  });

  test('unknown fields are ignored and an unknown role is init', () => {
    const pairs = [...fields({ prevrole: nv.string('prevrole', 'king') }), nv.string('later', 'x')];
    expect(parseMetadata(blockOf(pairs), codecs)).toMatchObject({ prevrole: 'init', datasize: GIB - 4608 });
  });

  test.each(fields({}).map(({ name }) => name))('%s must be there', (name) => {
    expect(faultOf(fields({ [name]: null }))).toBe(
      `metadata of resource test: ${name} is missing, of a wrong type or out of range; the disk was not touched`,
    );
  });

  test.each(fields({}).map(({ name }) => name))('%s must have its type', (name) => {
    expect(faultOf(fields({ [name]: nv.uint8(name, 1) }))).toContain(`${name} is missing, of a wrong type`);
  });

  test.each([
    ['resource is other', nv.string('resource', 'other')],
    ['datasize is 0', nv.uint64('datasize', 0)],
    ['datasize 513 is not a multiple of the sector size 512', nv.uint64('datasize', 513)],
    ['datasize 1073741824 at offset 4608 does not fit the component', nv.uint64('datasize', GIB)],
    ['extentsize 3000 is not a power of two', nv.uint32('extentsize', 3000)],
    ['extentsize 256 is less than the sector size 512', nv.uint32('extentsize', 256)],
    ['extentsize -2147483648 is not a power of two', nv.uint32('extentsize', 0x8000_0000)],
    ['offset 70144 leaves no room for the activemap, which ends at', nv.uint32('extentsize', 1024)],
    ['keepdirty 0 is less than 1', nv.uint32('keepdirty', 0)],
    ['keepdirty -5 is less than 1', nv.uint32('keepdirty', 0xffff_fffb)],
    ['offset 4609 is not a multiple of the sector size', nv.uint64('offset', 4609)],
    ['offset 4096 leaves no room for the activemap, which ends at 4608', nv.uint64('offset', 4096)],
    ['localcnt 1 and remotecnt 0 must be 0 while resuid is 0', nv.uint64('localcnt', 1)],
    ['localcnt 0 and remotecnt 1 must be 0 while resuid is 0', nv.uint64('remotecnt', 1)],
  ])('%s', (fault, pair) => {
    const offset = fault.startsWith('offset 70144') ? { offset: nv.uint64('offset', 70_144) } : {};
    const message = faultOf(fields({ ...offset, [pair.name]: pair }));
    expect(message).toMatch(`metadata of resource test: ${fault}`);
    expect(message).toMatch('; the disk was not touched');
  });

  test('a copy moved to a medium with larger sectors is refused', () => {
    expect(faultOf(fields({}), { ...expected, sectorSize: 4096 })).toContain(
      'not a multiple of the sector size 4096',
    );
    expect(faultOf(fields({}), { ...expected, sectorSize: 8192 })).toContain('sector size 8192');
  });

  test('every flipped bit of what a node wrote is noticed', () => {
    const block = encodeMetadata(
      { ...metadata, incomplete: true, localBad: [{ offset: 512, length: 1024 }] },
      codecs,
    );
    const length = block.findLastIndex((byte) => byte !== 0) + 1;
    for (let bit = 0; bit < length * 8; bit++) {
      const damaged = block.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const decoded = decodeMetadata(damaged, expected, codecs);
      // A bit in the checksum's own name makes it an unknown field: then nothing else changed.
      if (!isPortError(decoded))
        expect(decoded).toEqual({ ...metadata, incomplete: true, localBad: [{ offset: 512, length: 1024 }] });
    }
  });

  test('a local-bad range beyond the end is refused', () => {
    const block = encodeMetadata(
      { ...metadata, localBad: [{ offset: metadata.datasize, length: 512 }] },
      codecs,
    );
    expect(decodeMetadata(block, expected, codecs)).toMatchObject({
      message: `metadata of resource test: localbad names 512 bytes at ${metadata.datasize} of ${metadata.datasize}; the disk was not touched`,
    });
  });

  test('noise is refused', () => {
    const noise = new Uint8Array(METADATA_BYTES).fill(0xa5);
    expect(decodeMetadata(noise, expected, codecs)).toMatchObject({ code: 'EINVAL' });
    expect(decodeMetadata(new Uint8Array(METADATA_BYTES), expected, codecs)).toMatchObject({
      code: 'EINVAL',
    });
  });
});
