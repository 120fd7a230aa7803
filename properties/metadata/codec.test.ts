import fc from 'fast-check';
import { sha256 } from '@noble/hashes/sha2.js';
import { expect, test } from 'vitest';
import { decodeMetadata, encodeMetadata, MAX_LOCAL_BAD, parseMetadata } from '../../core/metadata/codec.js';
import type { Metadata } from '../../core/metadata/codec.js';
import {
  createGeometry,
  extentCount,
  mapBytes,
  mapRegionBytes,
  METADATA_BYTES,
} from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import { tsCodecs } from '../../core/wire/codecs.js';

const codecs = tsCodecs(sha256);

const powerOfTwo = (least: number, most: number): fc.Arbitrary<number> =>
  fc.integer({ min: Math.log2(least), max: Math.log2(most) }).map((exponent) => 2 ** exponent);

const component = fc
  .record({
    mediaSize: fc.integer({ min: 20_000, max: 2 ** 42 }),
    sectorSize: powerOfTwo(512, 4096),
    extentsize: powerOfTwo(4096, 2 ** 30),
  })
  .map((sizes) => ({
    ...sizes,
    geometry: createGeometry(sizes.mediaSize, sizes.extentsize, sizes.sectorSize),
  }));

const name = fc.string({ unit: fc.constantFrom(...'abc-._19'), minLength: 1, maxLength: 254 });
const count = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

test('create divides a component into three regions that fit and do not overlap', () => {
  fc.assert(
    fc.property(component, ({ mediaSize, sectorSize, extentsize, geometry }) => {
      if (isPortError(geometry)) return;
      const { localoff, datasize } = geometry;
      expect(localoff % sectorSize).toBe(0);
      expect(datasize % sectorSize).toBe(0);
      expect(datasize).toBeGreaterThan(0);
      expect(mediaSize - (localoff + datasize)).toBeLessThan(sectorSize);
      expect(localoff + datasize).toBeLessThanOrEqual(mediaSize);
      const map = mapBytes(datasize, extentsize, sectorSize);
      expect(mapRegionBytes(geometry, extentsize, sectorSize)).toBe(map);
      expect(map * 8).toBeGreaterThanOrEqual(extentCount(datasize, extentsize));
    }),
  );
});

test('what is written reads back, on any component that create accepts', () => {
  const written = fc.record({
    resource: name,
    keepdirty: fc.integer({ min: 1, max: 0x7fff_ffff }),
    resuid: count.filter((value) => value > 0n),
    localcnt: count,
    remotecnt: count,
    prevrole: fc.constantFrom('init', 'primary', 'secondary'),
    incomplete: fc.boolean(),
    extents: fc.uniqueArray(fc.nat(), { maxLength: MAX_LOCAL_BAD }),
  });
  fc.assert(
    fc.property(
      component,
      written,
      ({ mediaSize, sectorSize, extentsize, geometry }, { extents, ...rest }) => {
        if (isPortError(geometry)) return;
        const metadata: Metadata = {
          ...rest,
          ...geometry,
          extentsize,
          localBad: extents.map((at) => ({ offset: at % geometry.datasize, length: 0 })),
        };
        const block = encodeMetadata(metadata, codecs);
        expect(block).toHaveLength(METADATA_BYTES);
        expect(block[METADATA_BYTES - 1]).toBe(0);
        expect(decodeMetadata(block, { resource: rest.resource, mediaSize, sectorSize }, codecs)).toEqual(
          metadata,
        );
      },
    ),
  );
});

test('no block of bytes makes decoding do anything but answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: METADATA_BYTES }), (bytes) => {
      expect(isPortError(parseMetadata(bytes, codecs))).toBe(true);
    }),
  );
});
