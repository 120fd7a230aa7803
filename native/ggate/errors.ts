/** Errors of the GEOM gate driver: FreeBSD's numbers, also where its kernel is a test's (native/src/ggate/abi.h). */
import { portError } from '../../core/ports/error.js';
import type { PortError } from '../../core/ports/error.js';
import { codeOfErrno } from '../../core/wire/errno.js';
import { strerror } from '../errors.js';

/** What the driver's system calls may end in and the wire has no place for. */
const CODES: Readonly<Record<number, string>> = {
  4: 'EINTR',
  8: 'ENOEXEC',
  9: 'EBADF',
  13: 'EACCES',
  14: 'EFAULT',
  17: 'EEXIST',
  23: 'ENFILE',
  63: 'ENAMETOOLONG',
  78: 'ENOSYS',
  85: 'ECANCELED',
};

/** The value for an errno of the driver. */
export function ggateError(errno: number): PortError {
  const code = CODES[errno] ?? codeOfErrno(errno);
  return portError(code, strerror(code));
}
