/** What a primary offers its data as: a provider of GEOM gate where the system has that (FreeBSD), else an NBD export. */
import type { Turns } from '../../core/base/turns.js';
import type { Failure } from '../../core/daemon/ports.js';
import type { LeftDevices } from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import { portError } from '../../core/ports/error.js';
import type { Addon } from '../../native/addon.js';
import { ggateName } from '../../native/ggate/devices.js';
import { ggateError } from '../../native/ggate/errors.js';
import type { DeviceKind } from '../../native/worker/messages.js';
import { EX_OSFILE, EX_USAGE } from '../exit-codes.js';
import type { HastdOptions } from './options.js';

export interface Ggate {
  /** People on this system expect a GEOM gate device. */
  readonly isUsual: boolean;
  /** Null, or why there can be no devices of this kind. */
  refusal(): PortError | null;
  leftDevices(turns: Turns): LeftDevices;
}

export function realGgate(addon: Addon | null): Ggate {
  return {
    isUsual: process.platform === 'freebsd',
    refusal: () => {
      if (addon === null) {
        return portError('ENOSYS', 'it needs the addon (npm run build with a C++ compiler)');
      }
      const errno = addon.ggateAvailable();
      return errno === 0 ? null : ggateError(errno);
    },
    leftDevices: (turns) => ({
      remove: (provider, done) => {
        addon?.ggateRemove(ggateName(provider), (errno) => {
          turns.run(() => {
            done(errno === 0 ? null : ggateError(errno));
          });
        });
      },
    }),
  };
}

/** `remark`: what the log should know of the choice. */
export interface DeviceChoice {
  readonly kind: DeviceKind;
  readonly remark: string | null;
}

export function chooseDevice(
  { device, nbd }: Pick<HastdOptions, 'device' | 'nbd'>,
  ggate: Ggate,
): DeviceChoice | Failure {
  if (nbd !== null && device === 'ggate') {
    return { exitCode: EX_USAGE, text: 'Options --nbd and --device ggate exclude each other: remove one.' };
  }
  if (nbd !== null || device === 'nbd') return { kind: 'nbd', remark: null };
  const refusal = ggate.refusal();
  if (refusal === null) return { kind: 'ggate', remark: null };
  const why = `GEOM gate is not available (${refusal.message})`;
  if (device === 'ggate') return { exitCode: EX_OSFILE, text: `${why}: --device ggate is impossible.` };
  return { kind: 'nbd', remark: ggate.isUsual ? `${why}: devices are NBD exports.` : null };
}
