import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tcpExports, unixExports } from '../../cli/hastd/export-addresses.js';

describe('export addresses', () => {
  it('are sockets in a directory of the run directory that only its owner can enter', () => {
    const runDir = mkdtempSync(join(tmpdir(), 'hast-run-'));
    const addressOf = unixExports(runDir);
    expect(existsSync(join(runDir, 'hast'))).toBe(false);
    expect(addressOf('shared')).toBe(`uds://${runDir}/hast/shared`);
    expect(statSync(join(runDir, 'hast')).mode & 0o777).toBe(0o700);
    rmSync(runDir, { recursive: true });
  });

  it('are refused with the reason where there can be none', () => {
    const runDir = mkdtempSync(join(tmpdir(), 'hast-run-'));
    expect(unixExports(runDir)('x'.repeat(200))).toMatchObject({ code: 'ENAMETOOLONG' });
    rmSync(join(runDir, 'hast'), { recursive: true });
    writeFileSync(join(runDir, 'hast'), '');
    expect(unixExports(runDir)('shared')).toMatchObject({ code: 'EEXIST' });
    rmSync(runDir, { recursive: true });
  });

  it('are TCP ports in the order of the configuration, and stay', () => {
    const addressOf = tcpExports({ host: '127.0.0.1', port: 10_809 }, ['one', 'two', 'one']);
    expect(addressOf('two')).toBe('tcp://127.0.0.1:10810');
    expect(addressOf('new')).toBe('tcp://127.0.0.1:10811');
    expect(addressOf('one')).toBe('tcp://127.0.0.1:10809');
    expect(addressOf('new')).toBe('tcp://127.0.0.1:10811');
    expect(tcpExports({ host: '::1', port: 1 }, [])('x')).toBe('tcp://[::1]:1');
  });
});
