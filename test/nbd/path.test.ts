import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportAddress, exportPath, prepareExportDirectory } from '../../native/nbd/path.js';

describe('the socket of a provider', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hast-path-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('lies in the run directory', () => {
    expect(exportPath('/var/run', 'shared0')).toBe('/var/run/hast/shared0');
    expect(exportAddress('/var/run/hast/shared0')).toBe('uds:///var/run/hast/shared0');
  });

  it('is refused when the path does not fit into a socket address', () => {
    const limit = process.platform === 'linux' ? 107 : 103;
    const provider = 'x'.repeat(limit - '/var/run/hast/'.length);
    expect(exportPath('/var/run', provider)).toHaveLength(limit);
    expect(exportPath('/var/run', `${provider}x`)).toEqual({
      code: 'ENAMETOOLONG',
      message:
        `Socket path /var/run/hast/${provider}x has ${String(limit + 1)} bytes, ${String(limit)} are possible: ` +
        'use a shorter --run-dir or provider name.',
    });
  });

  it.each(['', '.', '..', '../x', 'a/b'])('is refused for the name "%s"', (provider) => {
    expect(exportPath('/var/run', provider)).toMatchObject({ code: 'EINVAL' });
  });

  it('is out of reach of others', () => {
    expect(prepareExportDirectory(directory)).toBeNull();
    expect(statSync(join(directory, 'hast')).mode & 0o777).toBe(0o700);
    chmodSync(join(directory, 'hast'), 0o755);
    expect(prepareExportDirectory(directory)).toBeNull();
    expect(statSync(join(directory, 'hast')).mode & 0o777).toBe(0o700);
  });

  it('says what is in the way of its directory', () => {
    writeFileSync(join(directory, 'hast'), '');
    const path = join(directory, 'hast');
    expect(prepareExportDirectory(directory)).toEqual({
      code: 'EEXIST',
      message: `Unable to create directory ${path}: EEXIST.`,
    });
  });
});
