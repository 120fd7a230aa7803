import { describe, expect, it } from 'vitest';
import { isZero } from '../../core/wire/zero.js';

describe('isZero', () => {
  it('sees a single bit anywhere, at every length and alignment, and nothing beyond', () => {
    for (let start = 0; start < 5; start++)
      for (let length = 0; length < 40; length++) {
        const around = new Uint8Array(50).fill(0xff);
        const data = around.subarray(start, start + length).fill(0);
        expect(isZero(data)).toBe(true);
        for (let i = 0; i < length; i++) {
          data[i] = 0x80;
          expect(isZero(data)).toBe(false);
          data[i] = 0;
        }
      }
  });
});
