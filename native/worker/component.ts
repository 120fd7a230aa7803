import type { Turns } from '../../core/base/turns.js';
import type { Disk } from '../../core/ports/disk.js';
import { isPortError } from '../../core/ports/error.js';
import { EXIT_NOINPUT } from '../../core/resource/types.js';
import type { Addon } from '../addon.js';
import { openDisk } from '../disk.js';
import type { WorkerFailure } from './host.js';

/** The local component of a resource, ours alone until the worker ends (core/spec/cli.md section 10). */
export async function openComponent(
  path: string,
  turns: Turns,
  addon: Addon | null,
): Promise<Disk | WorkerFailure> {
  const disk = await openDisk(path, { access: 'readWrite', lock: true }, turns, addon);
  if (!isPortError(disk)) return disk;
  const action = disk.code === 'EWOULDBLOCK' ? 'lock' : 'open';
  return { exitCode: EXIT_NOINPUT, text: `Unable to ${action} ${path}: ${disk.message}.` };
}
