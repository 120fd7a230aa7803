import { expect, test } from 'vitest';
import {
  bitmapBytes,
  createGeometry,
  extentCount,
  isPowerOfTwo,
  mapBytes,
  mapRegionBytes,
} from '../../core/metadata/geometry.js';

/** core/spec/metadata.md section 3.2: media, extentsize, sector, extents, bitmap bytes, mapsize, offset, datasize. */
const EXAMPLES = [
  [1048576, 2097152, 512, 1, 8, 512, 4608, 1043968],
  [10485760, 4096, 512, 2559, 320, 512, 4608, 10481152],
  [1073741824, 2097152, 512, 512, 64, 512, 4608, 1073737216],
  [1073741824, 2097152, 4096, 512, 64, 4096, 8192, 1073733632],
  [8589934592, 2097152, 512, 4096, 512, 512, 4608, 8589929984],
  [100000000000, 2097152, 512, 47684, 5968, 6144, 10240, 99999989760],
  [1099511627776, 2097152, 512, 524288, 65536, 65536, 69632, 1099511558144],
] as const;

test.each(EXAMPLES)('media %i, extents of %i, sectors of %i', (media, extentsize, sector, ...rest) => {
  const [extents, bitmap, mapsize, localoff, datasize] = rest;
  expect(createGeometry(media, extentsize, sector)).toEqual({ localoff, datasize });
  expect(extentCount(datasize, extentsize)).toBe(extents);
  expect(bitmapBytes(datasize, extentsize)).toBe(bitmap);
  expect(mapBytes(media - 4096, extentsize, sector)).toBe(mapsize);
});

test('a running node may need one sector of map less than create reserved', () => {
  const geometry = { localoff: 5120, datasize: 8589934080 };
  expect(createGeometry(8589939200, 2097152, 512)).toEqual(geometry);
  expect(mapRegionBytes(geometry, 2097152, 512)).toBe(512);
});

test('the map region never reaches user data, whatever the sectors are', () => {
  expect(mapRegionBytes({ localoff: 4608, datasize: 1043968 }, 2097152, 4096)).toBe(512);
});

test('a media size is rounded down to whole sectors', () => {
  expect(createGeometry(1000001, 4096, 512)).toEqual({ localoff: 4608, datasize: 999936 - 4608 });
});

test.each([
  [1048576, 512, 500, 'Sector size is not power of 2 (500)'],
  [1048576, 16384, 8192, 'Sector size (8192) is greater than the metadata block (4096)'],
  [1048576, 256, 512, 'Extent size (256) is less than sector size (512)'],
  [1048576, -4096, 512, 'Extent size (-4096) is less than sector size (512)'],
  [1048576, 1000, 512, 'Extent size (1000) is not multiple of sector size (512)'],
  [1048576, 1536, 512, 'Extent size (1536) is not power of 2'],
  [1048576, 2147483648, 512, 'Extent size (2147483648) is greater than 1073741824'],
  [4096, 512, 512, 'Mediasize (4096) leaves no room for data: more than 4608 bytes are needed'],
  [0, 512, 512, 'Mediasize (0) leaves no room for data: more than 4608 bytes are needed'],
  [4608, 512, 512, 'Mediasize (4608) leaves no room for data: more than 4608 bytes are needed'],
])('media %i, extents of %i, sectors of %i: %s', (media, extentsize, sector, message) => {
  expect(createGeometry(media, extentsize, sector)).toEqual({ code: 'EINVAL', message });
});

test('powers of two', () => {
  expect([1, 2, 512, 2 ** 52].every(isPowerOfTwo)).toBe(true);
  expect([0, -2, 3, 0.5, 2 ** 52 + 2, NaN, Infinity].some(isPowerOfTwo)).toBe(false);
});
