import { describe, expect, it } from 'vitest';
import { portError } from '../../core/ports/error.js';
import type { PortError } from '../../core/ports/error.js';
import { chooseDevice, realGgate } from '../../cli/hastd/device-kind.js';
import type { Ggate } from '../../cli/hastd/device-kind.js';

const NONE = portError('ENOENT', 'No such file or directory');
const NBD = { host: '127.0.0.1', port: 10_809 };

function ggate(refusal: PortError | null, isUsual = true): Ggate {
  return { isUsual, refusal: () => refusal, leftDevices: () => ({ remove: () => undefined }) };
}

describe('kind of device', () => {
  it('is what the system has', () => {
    expect(chooseDevice({ device: null, nbd: null }, ggate(null))).toEqual({ kind: 'ggate', remark: null });
    expect(chooseDevice({ device: null, nbd: null }, ggate(NONE, false))).toEqual({
      kind: 'nbd',
      remark: null,
    });
  });

  it('is said where people expect another', () => {
    expect(chooseDevice({ device: null, nbd: null }, ggate(NONE))).toEqual({
      kind: 'nbd',
      remark: 'GEOM gate is not available (No such file or directory): devices are NBD exports.',
    });
  });

  it('is what was asked for', () => {
    expect(chooseDevice({ device: 'nbd', nbd: null }, ggate(null))).toMatchObject({ kind: 'nbd' });
    expect(chooseDevice({ device: null, nbd: NBD }, ggate(null))).toMatchObject({ kind: 'nbd' });
    expect(chooseDevice({ device: 'ggate', nbd: null }, ggate(null))).toMatchObject({ kind: 'ggate' });
  });

  it('is an error where it cannot be what was asked for', () => {
    expect(chooseDevice({ device: 'ggate', nbd: null }, ggate(NONE))).toEqual({
      exitCode: 72,
      text: 'GEOM gate is not available (No such file or directory): --device ggate is impossible.',
    });
    expect(chooseDevice({ device: 'ggate', nbd: NBD }, ggate(null))).toMatchObject({ exitCode: 64 });
  });

  it('needs the addon to be GEOM gate', () => {
    expect(realGgate(null).refusal()).toMatchObject({ code: 'ENOSYS' });
  });
});
