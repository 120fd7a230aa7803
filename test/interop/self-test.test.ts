/**
 * The interop suite must be able to fail: whatever significant recorded value is changed, its kind notices. Each kind
 * names its significant values; a sample of them, spread evenly, is falsified, one at a time, in a copy.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { falsify } from './significant.js';
import { KINDS, runKind } from './suite.js';

const REFERENCE = fileURLToPath(new URL('../../../test/interop/reference', import.meta.url));
const SAMPLES = 24;
/** Of a kind that can run one file alone. */
const SAMPLES_BY_FILE = 120;

describe('interop self-test', () => {
  let copy = '';
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'hast-interop-'));
    cpSync(REFERENCE, copy, { recursive: true });
  });
  afterAll(() => {
    rmSync(copy, { recursive: true });
  });

  for (const kind of KINDS) {
    it(`${kind.name}: passes, and notices every falsified value`, async () => {
      expect((await runKind(kind, copy)).failures()).toEqual([]);
      const all = kind.significant(copy);
      expect(all.length).toBeGreaterThan(0);

      const unnoticed: string[] = [];
      const samples = kind.runFile === undefined ? SAMPLES : SAMPLES_BY_FILE;
      for (let i = 0; i < samples; i++) {
        const value = all[Math.floor((i * all.length) / samples)];
        if (value === undefined) continue;
        // Multiples of 0.62 walk all over the characters of the values.
        falsify(copy, value, (i * 0.62) % 1);
        const report = await runKind(kind, copy, value.file);
        const failed = kind.runFile === undefined ? report.failed : report.failedCases;
        if (failed === 0) unnoticed.push(`${value.file} ${value.path.join('.')}`);
        cpSync(join(REFERENCE, value.file), join(copy, value.file));
      }
      expect(unnoticed).toEqual([]);
    }, 120_000);
  }
});
