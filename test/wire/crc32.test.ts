import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../core/wire/crc32.js';
import { noise } from './noise.js';

describe('crc32', () => {
  it("agrees with zlib's on a large block", () => {
    const block = noise(131_072);
    expect(crc32(block)).toBe(zlibCrc32(block));
  });

  it('gives the known check values', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect(crc32(Buffer.from([0x00, 0x10, 0x00, 0x00]))).toBe(0x3d627c6c);
  });

  it('agrees with the bit by bit definition at every length and alignment', () => {
    const bytes = Uint8Array.from({ length: 70 }, (_, i) => (i * 151 + 7) & 0xff);
    for (let start = 0; start < 9; start++)
      for (let end = start; end <= bytes.length; end++) {
        const part = bytes.subarray(start, end);
        expect(crc32(part)).toBe(bitByBit(part));
      }
  });
});

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 * (crc & 1));
  }
  return ~crc >>> 0;
}
