/** The manual pages are good mdoc(7). */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { canRun } from './nbd-clients-tools.js';

const folder = fileURLToPath(new URL('../../../cli/share/man/', import.meta.url));
/** Of a page that refers to one which is not on this machine. */
const ELSEWHERE = /referenced manual not found|mandoc\.db/;

describe.skipIf(!canRun('manual pages', ['mandoc']))('manual pages (needs: mandoc)', () => {
  it.each(readdirSync(folder))('%s', (page) => {
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', join(folder, page)], {
      encoding: 'utf8',
    });
    const complaints = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !ELSEWHERE.test(line));
    expect(complaints).toEqual([]);
  });

  it.each(readdirSync(folder))('%s can be read', (page) => {
    const { stdout, status } = spawnSync('mandoc', ['-T', 'markdown', join(folder, page)], {
      encoding: 'utf8',
    });
    expect(status).toBeLessThanOrEqual(1);
    expect(stdout).toContain('EXAMPLES');
  });
});
