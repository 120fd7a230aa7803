import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isPortError, type PortError } from '../../core/ports/error.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { encodeNv, nv, type NvPair } from '../../core/wire/nv.js';
import {
  openPayload,
  packPayload,
  payloadFits,
  readPayloadSpec,
  type PayloadSpec,
} from '../../core/wire/payload.js';
import { encodeReply, encodeRequest } from '../../core/wire/request-messages.js';
import { hex } from './hex.js';
import { listOf } from './list-of.js';
import { noise } from './noise.js';

const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());
const PLAIN = { compression: 'none', checksum: 'none' } as const;

function specOf(fields: readonly NvPair[]): PayloadSpec {
  const spec = readPayloadSpec(listOf(fields));
  if (spec === null || isPortError(spec)) throw new Error('no payload');
  return spec;
}

describe('sending', () => {
  it('writes the derived write of the specification', () => {
    const packed = packPayload(codecs, { compression: 'hole', checksum: 'none' }, new Uint8Array(4096));
    const request = encodeRequest({ command: 'write', seq: 7, offset: 0x20000, length: 4096, memsync: true });
    const message = Buffer.concat([encodeFrame(2, [...request, ...packed.fields]), packed.data]);
    expect(message.length).toBe(171);
    expect(message.subarray(-56)).toEqual(
      Buffer.from(
        hex(`11 0c 05000000 | 636f6d7072657373696f6e0000000000 | 686f6c6500000000
             06 05 04000000 | 73697a6500000000 | 0400000000000000
             00100000`),
      ),
    );
  });

  it('writes the derived reply to a read: hole and crc32', () => {
    const packed = packPayload(codecs, { compression: 'hole', checksum: 'crc32' }, new Uint8Array(4096));
    const reply = encodeReply({ seq: 9, received: false, error: null });
    expect(Buffer.concat([encodeFrame(2, [...reply, ...packed.fields]), packed.data])).toEqual(
      Buffer.from(
        hex(`02 7e000000
             08 04 08000000 | 7365710000000000 | 0900000000000000
             11 0c 05000000 | 636f6d7072657373696f6e0000000000 | 686f6c6500000000
             11 09 06000000 | 636865636b73756d0000000000000000 | 6372633332000000
             0a 05 04000000 | 6861736800000000 | 6c7c623d00000000
             06 05 04000000 | 73697a6500000000 | 0400000000000000
             00100000`),
      ),
    );
  });

  it('writes the derived dirty map: extents 0 and 9 of a 512-byte map', () => {
    const map = new Uint8Array(512);
    map.set([1, 2]);
    const packed = packPayload(codecs, { compression: 'hole', checksum: 'none' }, map);
    expect(encodeNv(packed.fields)).toEqual(hex('06 05 04000000 | 73697a6500000000 | 0002000000000000'));
    expect(packed.data).toBe(map);
  });

  it('does not copy what it cannot compress', () => {
    const data = noise(4096);
    for (const compression of ['none', 'hole', 'lzf'] as const)
      expect(packPayload(codecs, { ...PLAIN, compression }, data).data).toBe(data);
  });

  it('tries LZF only above 1024 bytes', () => {
    const packedAs = (length: number): string =>
      specOf(packPayload(codecs, { ...PLAIN, compression: 'lzf' }, new Uint8Array(length).fill(65)).fields)
        .compression;
    expect(packedAs(1024)).toBe('none');
    expect(packedAs(1032)).toBe('none');
    expect(packedAs(1536)).toBe('lzf');
  });
});

describe('what a message says about its data', () => {
  const size = nv.uint32('size', 512);
  const read = (...pairs: NvPair[]): PayloadSpec | null | PortError => readPayloadSpec(listOf(pairs));

  it('is nothing without a size', () => {
    expect(read()).toBeNull();
    expect(read(nv.uint32('size', 0))).toBeNull();
    expect(read(nv.uint64('size', 512))).toBeNull();
    expect(read(nv.string('compression', 'gzip'))).toBeNull();
  });

  it('is plain data by default', () => {
    expect(read(size)).toEqual({ size: 512, ...PLAIN, hash: new Uint8Array(0) });
  });

  const REFUSED: [string, NvPair[], RegExp][] = [
    ['an unknown compression', [nv.string('compression', 'gzip')], /unknown compression 'gzip'/],
    ['"none", which is never said', [nv.string('compression', 'none')], /unknown compression/],
    [
      'an unknown checksum',
      [nv.string('checksum', 'md5'), nv.bytes('hash', hex('00000000'))],
      /unknown checksum 'md5'/,
    ],
    ['checksum "none"', [nv.string('checksum', 'none')], /unknown checksum/],
    ['no hash', [nv.string('checksum', 'crc32')], /crc32 of 0 bytes instead of 4/],
    [
      'a hash of another length',
      [nv.string('checksum', 'sha256'), nv.bytes('hash', hex('00'))],
      /sha256 of 1 bytes/,
    ],
  ];
  it.each(REFUSED)('is refused with %s', (_, pairs, message) => {
    expect(read(...pairs, size)).toMatchObject({
      code: 'EINVAL',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('what may be received at all', () => {
  const spec = (compression: PayloadSpec['compression'], size: number): PayloadSpec => ({
    ...PLAIN,
    compression,
    size,
    hash: new Uint8Array(0),
  });

  it('is exactly the expected length, a hole, or an LZF stream not longer than its result', () => {
    const allowed: [PayloadSpec, number, boolean][] = [
      [spec('none', 4096), 4096, true],
      [spec('none', 4095), 4096, false],
      [spec('none', 4097), 4096, false],
      [spec('hole', 4), 4096, true],
      [spec('hole', 5), 4096, false],
      [spec('lzf', 4096), 4096, true],
      [spec('lzf', 4097), 4096, false],
      [spec('lzf', 4), 4096, false],
      [spec('lzf', 100), 1024, false],
    ];
    for (const [given, expectedBytes, fits] of allowed)
      expect(payloadFits(given, expectedBytes) === null).toBe(fits);
  });
});

describe('opening', () => {
  const data = new Uint8Array(4096).fill(65);
  const settings = (['none', 'hole', 'lzf'] as const).flatMap((compression) =>
    (['none', 'crc32', 'sha256'] as const).map((checksum) => ({ compression, checksum })),
  );

  it.each(settings)('gives back what was packed with $compression and $checksum', (each) => {
    for (const source of [data, new Uint8Array(4096), data.subarray(0, 512)]) {
      const packed = packPayload(codecs, each, source);
      const target = new Uint8Array(source.length).fill(0xee);
      expect(openPayload(codecs, specOf(packed.fields), packed.data, target)).toBeNull();
      expect(target).toEqual(source);
    }
  });

  it('leaves plain data where it was received', () => {
    const target = data.slice();
    expect(openPayload(codecs, specOf([nv.uint32('size', 4096)]), target, target)).toBeNull();
    expect(target).toEqual(data);
  });

  it('notices every changed byte under a checksum', () => {
    const packed = packPayload(codecs, { compression: 'lzf', checksum: 'crc32' }, data);
    for (let i = 0; i < packed.data.length; i++) {
      const changed = packed.data.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(openPayload(codecs, specOf(packed.fields), changed, new Uint8Array(4096))).toMatchObject({
        code: 'EINVAL',
      });
    }
  });

  const HOSTILE: [string, string, string, RegExp][] = [
    ['a hole of 4 GiB', 'hole', 'ffffffff', /4294967295 bytes instead of 4096/],
    ['a hole that is shorter', 'hole', '00080000', /2048 bytes instead of 4096/],
    ['LZF that announces less', 'lzf', '00080000 61', /2048 bytes instead/],
    ['LZF that expands to less', 'lzf', '00100000 03 61626364', /not a valid LZF stream/],
    ['LZF that expands to more', 'lzf', `00100000 00 61 ${'e0ff00'.repeat(16)}`, /not a valid LZF stream/],
    ['LZF garbage', 'lzf', '00100000 ffffffffffffffffff', /not a valid LZF stream/],
  ];
  it.each(HOSTILE)('refuses %s', (_, compression, bytes, message) => {
    const received = hex(bytes);
    const spec = specOf([nv.string('compression', compression), nv.uint32('size', received.length)]);
    expect(openPayload(codecs, spec, received, new Uint8Array(4096))).toMatchObject({
      code: 'EINVAL',
      message: expect.stringMatching(message) as string,
    });
  });
});
