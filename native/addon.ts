/**
 * The addon: what Node lacks, in native/src, thin. It is there where a C++ compiler was found at build time; without it
 * everything works in another way, or says what is missing.
 */
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import { portError } from '../core/ports/error.js';
import type { Done, PortError } from '../core/ports/error.js';
import { strerror } from './errors.js';

/** Ends a blocking call that ran in the thread pool: errno, 0 when it succeeded. */
type Finished = (errno: number) => void;

/** Functions that return a number give errno, 0 when they succeeded; descriptors are numbers. */
export interface Addon {
  /** syslog(3). `facility` and `priority` are the numbers of syslog.h; text is passed on byte by byte (Latin-1). */
  openlog(ident: string, facility: number): void;
  syslog(priority: number, text: string): void;
  closelog(): void;
  /** flock(2), exclusive, never waits. */
  flock(fd: number): number;
  /** Bytes of a block or character device, or the negative errno. */
  mediaSize(fd: number): number;
  sectorSize(fd: number): number;
  /** Empties a device's cache where fdatasync(2) does not (FreeBSD). */
  flushDevice(fd: number, finished: Finished): void;
  /** TRIM of a device. */
  discard(fd: number, offset: number, length: number, finished: Finished): void;
  /** Makes a range of a file read as zeros and frees its blocks. */
  punchHole(fd: number, offset: number, length: number, finished: Finished): void;
  /** From now on no program started here can gain privileges. ENOSYS: the system has no such thing. */
  noNewPrivileges(): number;
  /** Who connected to a Unix socket, or listens there; the errno otherwise. */
  peerCredentials(fd: number): { readonly uid: number; readonly gid: number } | number;
  /** Zeroed memory that begins on a page, for `bytes` bytes. */
  alignedBuffer(bytes: number): ArrayBuffer;
}

export type LoadedAddon =
  | { readonly addon: Addon }
  /** Why there is none, for a person: `built without a compiler`. */
  | { readonly addon: null; readonly reason: string };

/** From dist/native to the build folder of node-gyp. */
const BUILT = '../../native/build/Release/hast.node';

/** The addon, unless it was not built or HAST_NO_ADDON is set. */
export function loadAddon(): LoadedAddon {
  if (process.env['HAST_NO_ADDON'] !== undefined) return { addon: null, reason: 'HAST_NO_ADDON is set' };
  try {
    return { addon: createRequire(import.meta.url)(BUILT) as Addon };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    const why = error instanceof Error ? error.message : String(error);
    return { addon: null, reason: isMissing ? 'it was not built' : why };
  }
}

/** The value for an errno of the addon; null for 0. */
export function errnoError(errno: number): PortError | null {
  if (errno === 0) return null;
  const code = codeOfErrno(errno);
  return portError(code, strerror(code));
}

/** Completes with what a blocking call of the addon ended in. */
export function finishedWith(done: Done): Finished {
  return (errno) => {
    done(errnoError(errno));
  };
}

function codeOfErrno(errno: number): string {
  try {
    const code = getSystemErrorName(-errno);
    return code === 'ENOTSUP' ? 'EOPNOTSUPP' : code;
  } catch {
    return 'EIO';
  }
}
