import { describe, expect, it } from 'vitest';
import { newBuffer } from '../../core/base/slab.js';

/** More than one slab holds. */
const MANY = 100;

describe('new buffers', () => {
  it.each([0, 1, 7, 512, 4096, 4097, 1_000_000])('have %d zero bytes', (length) => {
    const buffer = newBuffer(length);
    expect(buffer).toHaveLength(length);
    expect(buffer.every((byte) => byte === 0)).toBe(true);
  });

  it('share no byte with any other', () => {
    const lengths = Array.from({ length: MANY }, (_, i) => 1 + ((i * 977) % 4096));
    const buffers = lengths.map((length) => newBuffer(length));
    buffers.forEach((buffer, i) => buffer.fill(i));
    expect(buffers.every((buffer, i) => buffer.every((byte) => byte === i))).toBe(true);
  });

  it('begin where numbers of 64 bits may', () => {
    const buffers = Array.from({ length: MANY }, (_, i) => newBuffer(i));
    expect(buffers.every(({ byteOffset }) => byteOffset % 8 === 0)).toBe(true);
  });
});
