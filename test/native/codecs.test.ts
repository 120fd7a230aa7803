import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Codecs } from '../../core/ports/codecs.js';
import { nodeCodecs } from '../../native/codecs.js';
import { simCodecs } from '../../sim/codecs.js';
import { eachAddon } from './addons.js';

const GUARD = 0xee;
const GUARD_BYTES = 40;

/** Few different bytes, long runs, what was there before again: data in which there is something to find. */
const structured = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ kind: 'new' as const, bytes })),
      fc.tuple(fc.nat(3), fc.nat(700)).map(([byte, times]) => ({ kind: 'run' as const, byte, times })),
      fc.tuple(fc.nat(9000), fc.nat(600)).map(([back, times]) => ({ kind: 'again' as const, back, times })),
    ),
    { maxLength: 40 },
  )
  .map((parts) => {
    const bytes: number[] = [];
    for (const part of parts) {
      if (part.kind === 'new') bytes.push(...part.bytes);
      else if (part.kind === 'run') for (let i = 0; i < part.times; i++) bytes.push(part.byte);
      else for (let i = 0; i < part.times; i++) bytes.push(bytes[bytes.length - 1 - part.back] ?? 7);
    }
    return Uint8Array.from(bytes);
  });
const data = fc.oneof(fc.uint8Array({ maxLength: 5000 }), structured);

/** What `transform` writes to a target of that size, which lies in a larger buffer, and its result. */
function written(capacity: number, transform: (target: Uint8Array) => number): [number, Uint8Array] {
  const slab = new Uint8Array(capacity + 2 * GUARD_BYTES).fill(GUARD);
  const result = transform(slab.subarray(GUARD_BYTES, GUARD_BYTES + capacity));
  for (let i = 0; i < GUARD_BYTES; i++) {
    expect([slab[i], slab[GUARD_BYTES + capacity + i]]).toEqual([GUARD, GUARD]);
  }
  return [result, slab.slice(GUARD_BYTES, GUARD_BYTES + Math.max(0, result))];
}

function expectSameCompression(codecs: Codecs, bytes: Uint8Array, capacity: number): void {
  const ours = written(capacity, (target) => codecs.lzfCompress(bytes, target));
  expect(ours).toEqual(written(capacity, (target) => simCodecs.lzfCompress(bytes, target)));
}

function expectSameExpansion(codecs: Codecs, stream: Uint8Array, capacity: number): void {
  const ours = written(capacity, (target) => codecs.lzfDecompress(stream, target));
  expect(ours).toEqual(written(capacity, (target) => simCodecs.lzfDecompress(stream, target)));
}

function streamOf(bytes: Uint8Array): Uint8Array {
  const target = new Uint8Array(2 * bytes.length + 16);
  return target.slice(0, simCodecs.lzfCompress(bytes, target));
}

describe.each(eachAddon)('codecs of Node, %s', (_, addon) => {
  const codecs = nodeCodecs(addon);

  it('equal the TypeScript ones', () => {
    fc.assert(
      fc.property(data, (bytes) => {
        expect(codecs.crc32(bytes)).toBe(simCodecs.crc32(bytes));
        expect([...codecs.sha256(bytes)]).toEqual([...simCodecs.sha256(bytes)]);
        expect(codecs.isZero(bytes)).toBe(simCodecs.isZero(bytes));
      }),
    );
  });

  it('take views into larger buffers', () => {
    const slab = new TextEncoder().encode('--123456789--');
    expect(codecs.crc32(slab.subarray(2, 11))).toBe(0xcbf43926);
    expect([...codecs.sha256(slab.subarray(2, 11))]).toEqual([...simCodecs.sha256(slab.slice(2, 11))]);
  });

  it('find any byte that is not zero, at any alignment', () => {
    const slab = new Uint8Array(5000);
    for (const length of [0, 1, 2, 7, 8, 9, 1023, 1024, 1025, 4096]) {
      for (let start = 0; start < 9; start++) {
        const view = slab.subarray(start, start + length);
        slab[start + length] = 1;
        expect(codecs.isZero(view)).toBe(true);
        for (const at of [0, 1, length >> 1, length - 2, length - 1]) {
          if (at < 0 || at >= length) continue;
          view[at] = 0x80;
          expect(codecs.isZero(view)).toBe(false);
          view[at] = 0;
        }
        slab[start + length] = 0;
      }
    }
  });

  it('compress to the same bytes, into whatever room there is', () => {
    fc.assert(
      fc.property(data, fc.nat(6000), (bytes, room) => {
        for (const capacity of [
          room,
          bytes.length + (bytes.length >> 4) + 8,
          Math.max(0, bytes.length - 1024),
        ]) {
          expectSameCompression(codecs, bytes, capacity);
        }
      }),
    );
  });

  it('compress inputs of every short length alike, and matches of every length', () => {
    for (let length = 0; length < 300; length++) {
      const repeated = Uint8Array.from({ length: 2 * length + 9 }, (_, i) => i % (length + 3));
      for (const bytes of [new Uint8Array(length).fill(1), repeated])
        expectSameCompression(codecs, bytes, 700);
    }
  });

  it('expand to the same bytes', () => {
    fc.assert(
      fc.property(data, fc.integer({ min: -3, max: 3 }), (bytes, more) => {
        const stream = streamOf(bytes);
        for (const capacity of [bytes.length, Math.max(0, bytes.length + more)]) {
          expectSameExpansion(codecs, stream, capacity);
        }
      }),
    );
  });

  it('refuse the same broken streams, and touch nothing beside their target', () => {
    const damage = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { maxLength: 5 });
    fc.assert(
      fc.property(structured, damage, fc.nat(10_000), fc.nat(6000), (bytes, changes, cut, capacity) => {
        const stream = streamOf(bytes);
        for (const [at, byte] of changes) if (stream.length > 0) stream[at % stream.length] = byte;
        expectSameExpansion(codecs, stream.subarray(0, cut % (stream.length + 1)), capacity);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2000), (stream, capacity) => {
        expectSameExpansion(codecs, stream, capacity);
      }),
    );
  });
});
