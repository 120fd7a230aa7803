/** Local components for `create` and `dump`: the Disk port with promises instead of callbacks. */
import { Turns } from '../../core/base/turns.js';
import type { Disk } from '../../core/ports/disk.js';
import type { Done, PortError } from '../../core/ports/error.js';
import { isPortError } from '../../core/ports/error.js';
import { loadAddon } from '../../native/addon.js';
import { openDisk } from '../../native/disk.js';
import { EX_NOINPUT } from '../exit-codes.js';
import { Failure } from '../failure.js';

/** Opens `path`; a Failure says what the reference says where it can. For writing it is locked (W39). */
export async function openComponent(path: string, access: 'read' | 'readWrite'): Promise<Disk> {
  const options = { access, lock: access === 'readWrite' };
  const disk = await openDisk(path, options, new Turns(), loadAddon().addon);
  if (isPortError(disk)) throw new Failure(EX_NOINPUT, openingText(path, disk));
  return disk;
}

/** Waits for one operation of a port. */
export function outcomeOf(operation: (done: Done) => void): Promise<PortError | null> {
  return new Promise((resolve) => operation(resolve));
}

function openingText(path: string, { code, message }: PortError): string {
  if (code === 'EINVAL') return `${path} is neither GEOM provider nor regular file.`;
  if (code === 'EWOULDBLOCK') return `Unable to lock ${path}: ${message}. Is the resource in use?`;
  return `Unable to open ${path}: ${message}.`;
}
