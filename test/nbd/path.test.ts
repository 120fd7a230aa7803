import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportAddress, prepareExportDirectory } from '../../native/nbd/path.js';

describe('the socket of a provider', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hast-path-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('lies in the run directory', () => {
    expect(exportAddress('/var/run', 'shared0')).toBe('uds:///var/run/hast/shared0');
  });

  it('is refused when the path does not fit into a socket address', () => {
    const provider = 'x'.repeat(103 - '/var/run/hast/'.length);
    expect(exportAddress('/var/run', provider)).toBe(`uds:///var/run/hast/${provider}`);
    expect(exportAddress('/var/run', `${provider}x`)).toEqual({
      code: 'ENAMETOOLONG',
      message:
        `Path /var/run/hast/${provider}x of the provider's socket has 104 bytes, 103 are possible: ` +
        'use a shorter --run-dir or provider name.',
    });
  });

  it.each(['', '.', '..', '../x', 'a/b'])('is refused for the name "%s"', (provider) => {
    expect(exportAddress('/var/run', provider)).toMatchObject({ code: 'EINVAL' });
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
      message: `Unable to create directory ${path}: File exists.`,
    });
  });
});
