import { expect, test } from 'vitest';
import { formatBytes, formatDuration } from '../../core/base/human.js';

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
  [Number.MAX_SAFE_INTEGER, '8.0PB'],
])('%s is %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0s'],
  [999, '0s'],
  [59_000, '59s'],
  [60_000, '1m'],
  [61_000, '1m1s'],
  [3_600_000, '1h'],
  [3_601_000, '1h0m1s'],
  [3_723_000, '1h2m3s'],
  [360_000_000, '100h'],
])('%s ms is %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
});
