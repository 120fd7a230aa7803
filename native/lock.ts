/**
 * Exclusive advisory locks on open descriptors: of a local component against double use, and of the pidfile. A lock is
 * held as long as the descriptor, so it goes with the process, however that ends.
 *
 * Without the addon a helper program takes the lock on a descriptor that it inherits: a lock of flock(2) belongs to the
 * open file, which is ours too.
 */
import { spawnSync } from 'node:child_process';
import { portError } from '../core/ports/error.js';
import type { PortError } from '../core/ports/error.js';
import { errnoError } from './addon.js';
import type { Addon } from './addon.js';

/** The helper's own descriptor 3 is ours; `heldStatus` is its exit status when somebody else has the lock. */
const HELPERS = [
  { program: 'flock', args: ['-x', '-n', '3'], heldStatus: 1 },
  { program: 'lockf', args: ['-s', '-t', '0', '3'], heldStatus: 75 },
] as const;

/**
 * Locks what `fd` has open, without waiting. EWOULDBLOCK: somebody else has it. EOPNOTSUPP: there is no way to lock
 * here, and nothing may be used unlocked.
 */
export function lockExclusive(fd: number, addon: Addon | null): PortError | null {
  const error = addon === null ? lockWithHelper(fd) : errnoError(addon.flock(fd));
  return error?.code === 'EAGAIN' || error?.code === 'EWOULDBLOCK' ? held() : error;
}

function lockWithHelper(fd: number): PortError | null {
  for (const { program, args, heldStatus } of HELPERS) {
    const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
    if (error !== undefined) continue;
    if (status === 0) return null;
    if (status === heldStatus) return held();
  }
  return portError(
    'EOPNOTSUPP',
    'no way to take a lock: it needs the addon (npm run build with a C++ compiler) or the program flock(1)',
  );
}

function held(): PortError {
  return portError('EWOULDBLOCK', 'it is locked by another process');
}
