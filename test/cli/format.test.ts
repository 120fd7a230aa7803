import { expect, test } from 'vitest';
import { parseSize } from '../../cli/format.js';

test.each([
  ['0', 0n],
  ['512', 512n],
  ['2m', 2_097_152n],
  ['3G', 3_221_225_472n],
  ['0x10', 16n],
  ['0X1fK', 31n * 1024n],
  ['010', 8n],
  ['0k', 0n],
  [' \t+3', 3n],
  ['1kb', 1024n],
  ['2Mfoo', 2_097_152n],
  ['-5', -5n],
  ['7E', 7n << 60n],
  ['9223372036854775807', (1n << 63n) - 1n],
  // Past 2^63 it wraps, as in the reference's signed variable.
  ['8E', -(1n << 63n)],
  ['18446744073709551615', -1n],
])('%j is %s', (text, value) => {
  expect(parseSize(text)).toBe(value);
});

test.each(['', 'abc', ' ', '-', '08', '0x', '1.5M', '7 ', '12X', '16E', '99999999999999999999', '-5k', '١'])(
  '%j is no size',
  (text) => {
    expect(parseSize(text)).toBeNull();
  },
);
