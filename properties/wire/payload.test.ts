import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPortError } from '../../core/ports/error.js';
import { LzfEncoder, lzfDecompress } from '../../core/wire/lzf.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import { encodeNv, nv } from '../../core/wire/nv.js';
import { openPayload, packPayload, readPayloadSpec } from '../../core/wire/payload.js';
import { simCodecs } from '../../sim/codecs.js';

/** Data that compresses in places: pieces of noise, of repetition and of repeated noise. */
const data: fc.Arbitrary<Uint8Array> = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.constantFrom(1, 2, 3, 10, 100)), {
    minLength: 1,
    maxLength: 40,
  })
  .map((pieces) =>
    Uint8Array.from(
      pieces.flatMap(
        ([bytes, times]) =>
          Array(times)
            .fill([...bytes])
            .flat() as number[],
      ),
    ),
  );

const settings = fc.record({
  compression: fc.constantFrom('none' as const, 'hole' as const, 'lzf' as const),
  checksum: fc.constantFrom('none' as const, 'crc32' as const, 'sha256' as const),
});

/** A buffer of `length` bytes with a margin that must stay as it is. */
function withMargin(length: number): { readonly bytes: Uint8Array; readonly marginIntact: () => boolean } {
  const all = new Uint8Array(length + 16).fill(0xee);
  return {
    bytes: all.subarray(8, -8),
    marginIntact: () => [...all.subarray(0, 8), ...all.subarray(-8)].every((byte) => byte === 0xee),
  };
}

describe('payloads', () => {
  it('open to what was packed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          data,
          fc.integer({ min: 1, max: 9000 }).map((length) => new Uint8Array(length)),
        ),
        settings,
        (source, how) => {
          const packed = packPayload(simCodecs, how, source);
          const list = decodeNv(encodeNv(packed.fields));
          if (isPortError(list)) throw new Error(list.message);
          const spec = readPayloadSpec(list);
          if (spec === null || isPortError(spec)) throw new Error('no payload');
          const target = withMargin(source.length);
          expect(openPayload(simCodecs, spec, packed.data, target.bytes)).toBeNull();
          expect(target.bytes).toEqual(source);
          expect(target.marginIntact()).toBe(true);
        },
      ),
    );
  });

  it('of any content are refused or fill their target, and nothing else', () => {
    const received = fc.uint8Array({ minLength: 1, maxLength: 3000 });
    const compression = fc.constantFrom('none', 'hole', 'lzf');
    fc.assert(
      fc.property(received, compression, fc.nat(4096), fc.boolean(), (bytes, name, length, announced) => {
        const view = new DataView(bytes.buffer);
        if (announced && bytes.length >= 4) view.setUint32(0, length, true);
        const fields = name === 'none' ? [] : [nv.string('compression', name)];
        const list = decodeNv(encodeNv([...fields, nv.uint32('size', bytes.length)]));
        if (isPortError(list)) throw new Error(list.message);
        const spec = readPayloadSpec(list);
        if (spec === null || isPortError(spec)) throw new Error('no payload');
        const target = withMargin(length);
        openPayload(simCodecs, spec, bytes, target.bytes);
        expect(target.marginIntact()).toBe(true);
      }),
    );
  });
});

describe('LZF', () => {
  const encoder = new LzfEncoder();

  it('expands what it compressed, if that fits, and never passes the end of its target', () => {
    fc.assert(
      fc.property(
        fc.oneof(data, fc.uint8Array({ maxLength: 200 })),
        fc.integer({ min: 0, max: 12_000 }),
        (source, capacity) => {
          const target = withMargin(capacity);
          const length = encoder.compress(source, target.bytes);
          expect(target.marginIntact()).toBe(true);
          expect(length).toBeLessThanOrEqual(capacity);
          if (length === 0) return;
          const expanded = new Uint8Array(source.length);
          expect(lzfDecompress(target.bytes.subarray(0, length), expanded)).toBe(source.length);
          expect(expanded).toEqual(source);
        },
      ),
    );
  });

  it('always fits with room for every byte as a literal', () => {
    fc.assert(
      fc.property(data, (source) => {
        const room = new Uint8Array(source.length + Math.ceil(source.length / 32) + 8);
        expect(encoder.compress(source, room)).toBeGreaterThan(0);
      }),
    );
  });

  it('takes any stream for valid or invalid, within its target', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 2000 }), (stream, length) => {
        const target = withMargin(length);
        const produced = lzfDecompress(stream, target.bytes);
        expect(produced >= -1 && produced <= length).toBe(true);
        expect(target.marginIntact()).toBe(true);
      }),
    );
  });
});
