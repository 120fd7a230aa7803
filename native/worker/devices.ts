/** The devices of a worker: of the kind that the main daemon chose. Only a primary's has any. */
import { assert } from '../../core/base/assert.js';
import { isPortError } from '../../core/ports/error.js';
import type { Addon } from '../addon.js';
import { GgateDevices, openGgate } from '../ggate/devices.js';
import { NbdDevices } from '../nbd/server.js';
import type { DeviceMaker, WorkerFailure } from './host.js';
import type { WorkerSettings, WorkerTask } from './messages.js';

/** The status of hastd's workers when they cannot open the control device (core/spec/integration.md section 6.4). */
const EXIT_OSFILE = 72;

export function openDevices(
  task: WorkerTask,
  settings: WorkerSettings,
  addon: Addon | null,
): DeviceMaker | WorkerFailure {
  if (task.role === 'secondary' || settings.device === 'nbd') {
    return (ports) => new NbdDevices(ports, task.role === 'primary' && task.recovers);
  }
  assert(addon !== null, 'only the addon offers GEOM gate');
  const opened = openGgate(addon, task.resource.provname);
  if (isPortError(opened)) {
    return { exitCode: EXIT_OSFILE, text: `Unable to open /dev/ggctl: ${opened.message}.` };
  }
  return ({ turns, log }) => new GgateDevices({ turns, log, addon }, opened);
}
