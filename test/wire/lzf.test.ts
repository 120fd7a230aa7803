import { describe, expect, it } from 'vitest';
import { LzfEncoder, lzfDecompress } from '../../core/wire/lzf.js';
import { hex } from './hex.js';
import { noise } from './noise.js';

function compressed(source: Uint8Array, capacity = source.length * 2 + 16): Uint8Array {
  const target = new Uint8Array(capacity);
  return target.slice(0, new LzfEncoder().compress(source, target));
}

function text(characters: string): Uint8Array {
  return Uint8Array.from(Buffer.from(characters));
}

function expanded(stream: Uint8Array, length: number): Uint8Array | null {
  const target = new Uint8Array(length);
  return lzfDecompress(stream, target) === length ? target : null;
}

describe('LZF encoder', () => {
  it('writes the derived example of the specification', () => {
    expect(compressed(new Uint8Array(4096).fill(1))).toEqual(
      hex(`01 0101 ${'e0 ff 00'.repeat(15)} e0 7b 00 01 0101`),
    );
  });

  it('writes short inputs as literals', () => {
    expect(compressed(text(''))).toEqual(new Uint8Array(0));
    expect(compressed(text('a'))).toEqual(hex('00 61'));
    expect(compressed(text('abcd'))).toEqual(hex('03 61626364'));
  });

  it('closes a run of literals at 32', () => {
    const source = Uint8Array.from({ length: 65 }, (_, i) => i);
    const stream = compressed(source);
    expect([stream[0], stream[33], stream[66], stream.length]).toEqual([31, 31, 0, 68]);
  });

  it('never refers to position 0', () => {
    // "abc" again, but its first copy is at the very start: the match is found for "bcd".
    expect(compressed(text('abcdefgh-abcdefgh-wxyz'))[0]).toBe(9);
  });

  it('forgets earlier inputs', () => {
    const encoder = new LzfEncoder();
    const target = new Uint8Array(200);
    const source = text('.abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz');
    const first = target.slice(0, encoder.compress(source, target));
    for (let i = 0; i < 100; i++) encoder.compress(text(`${i}.abcdefghijklmnopqrstuvwxyz`), target);
    expect(target.slice(0, encoder.compress(source, target))).toEqual(first);
  });

  it('goes on after a gibibyte, when its positions start again', () => {
    const encoder = new LzfEncoder();
    const target = new Uint8Array(4096);
    const source = new Uint8Array(4096).fill(1);
    const fresh = target.slice(0, encoder.compress(source, target));
    // No room for a single byte: the encoder gives up at once, but has counted the input.
    const huge = new Uint8Array(2 ** 28);
    for (let i = 0; i < 5; i++) {
      encoder.compress(huge, new Uint8Array(0));
      expect(target.slice(0, encoder.compress(source, target))).toEqual(fresh);
    }
  });

  it('gives up rather than pass the end of its target', () => {
    const random = noise(2000);
    for (let capacity = 0; capacity < 80; capacity++) {
      const target = new Uint8Array(capacity + 8).fill(0xee);
      expect(new LzfEncoder().compress(random, target.subarray(0, capacity))).toBe(0);
      expect(target.subarray(capacity)).toEqual(new Uint8Array(8).fill(0xee));
    }
  });
});

describe('LZF decoder', () => {
  it('expands literals, short, long and overlapping matches', () => {
    expect(expanded(hex('02 616263'), 3)).toEqual(text('abc'));
    expect(expanded(hex('02 616263 2002'), 6)).toEqual(text('abcabc'));
    expect(expanded(hex('00 61 c0 00'), 9)).toEqual(text('aaaaaaaaa'));
    expect(expanded(hex('00 61 e0 00 00'), 10)).toEqual(text('aaaaaaaaaa'));
    expect(lzfDecompress(new Uint8Array(0), new Uint8Array(4))).toBe(0);
  });

  const INVALID: [string, string, number][] = [
    ['input ends in a literal run', '02 6162', 3],
    ['literals pass the target', '02 616263', 2],
    ['input ends before the offset', '00 61 20', 8],
    ['input ends before the extension', '00 61 e0', 64],
    ['input ends between extension and offset', '00 61 e0 01', 64],
    ['match from before the start', '00 61 20 01', 8],
    ['match with nothing before', '20 00', 8],
    ['match passes the target', '00 61 20 00', 3],
  ];
  it.each(INVALID)('refuses: %s', (_, stream, length) => {
    const target = new Uint8Array(length + 8).fill(0xee);
    expect(lzfDecompress(hex(stream), target.subarray(0, length))).toBe(-1);
    expect(target.subarray(length)).toEqual(new Uint8Array(8).fill(0xee));
  });
});
