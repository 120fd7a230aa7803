import { expect, test } from 'vitest';
import { formatSize } from '../../core/base/sizes.js';

// core/spec/cli.md section 4.
test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1.0KB'],
  [1024, '1.0KB'],
  [10_188, '9.9KB'],
  [10_189, '10KB'],
  [10_240, '10KB'],
  [1_022_976, '999KB'],
  [1_023_576, '1.0MB'],
  [2_097_152, '2.0MB'],
  [134_217_728, '128MB'],
  [5_000_000_000_000, '4.5TB'],
  [(1n << 64n) - 1n, '16EB'],
  [-1, '-1B'],
])('%s is %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
