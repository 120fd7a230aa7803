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
  /** pread(2), pwrite(2): bytes transferred, or the negative errno. */
  read(fd: number, target: Uint8Array, offset: number): number;
  write(fd: number, source: Uint8Array, offset: number): number;
  /** As `read`, but only what is in the page cache: EAGAIN, or fewer bytes. EOPNOTSUPP: the system cannot tell. */
  readIfCached(fd: number, target: Uint8Array, offset: number): number;
  /** How often this thread gave up the processor of its own accord, to wait for something. */
  waits(): number;
  readonly DiskPool: new (options: DiskPoolOptions) => DiskPool;
  /** Who connected to a Unix socket, or listens there; the errno otherwise. */
  peerCredentials(fd: number): { readonly uid: number; readonly gid: number } | number;
  readonly PolledSocket: new (fd: number, ready: (events: number) => void) => PolledSocket;
  /** As in core/ports/codecs.ts. */
  isZero(data: Uint8Array): boolean;
  lzfCompress(source: Uint8Array, target: Uint8Array): number;
  lzfDecompress(source: Uint8Array, target: Uint8Array): number;
  /** Zeroed memory that begins on a page, for `bytes` bytes. */
  alignedBuffer(bytes: number): ArrayBuffer;
  /** Whether the kernel offers GEOM gate, its module loaded if need be; 0 or why not. Numbers here are FreeBSD's. */
  ggateAvailable(): number;
  /** The control device, open, and what a provider of that name has already: zeros for none; or an errno. */
  ggateOpen(name: string): GgateOpened | number;
  /** Removes a provider by force, and waits until its node is gone. Success too when there is none. */
  ggateRemove(name: string, finished: Finished): void;
  readonly GgateDriver: new (options: GgateDriverOptions) => GgateDriver;
}

/** What `PolledSocket` watches for and tells of. */
export const READABLE = 1;
export const WRITABLE = 2;

/** A stream socket on a descriptor of its own, a duplicate of the one given. Nothing here waits. */
export interface PolledSocket {
  /** Which events `ready` is called for, again and again while they last; 0 is none, as in the beginning. */
  watch(events: number): void;
  /** Bytes received into the beginning of `target`, 0 at the end of the stream, or the negative errno. */
  receive(target: Uint8Array): number;
  /** How many bytes of `chunks`, without the first `skip`, the system took; fewer when it is full. Or the negative errno. */
  send(chunks: readonly Uint8Array[], skip: number): number;
  /** The last call. Closes the descriptor, or leaves it to the caller: the return value. */
  release(closes: boolean): number;
}

/** What a `DiskPool` does: pread(2), pwrite(2), fdatasync(2). */
export const POOL_KINDS = ['read', 'write', 'sync'] as const;

interface DiskPoolOptions {
  /** At most; they are made when there is work. */
  readonly threads: number;
  /** After `take`: two for each operation that has ended, its number and bytes transferred or the negative errno. */
  readonly outcomes: Float64Array;
  /** Called in the event loop when there is something to `take`. */
  readonly wake: () => void;
}

/** Threads for what may wait for a medium. The event loop goes on while anything is under way. */
export interface DiskPool {
  /** `kind`: place in `POOL_KINDS`. The caller keeps `buffer` alive; `id` is given back with the outcome. */
  add(id: number, kind: number, fd: number, buffer: Uint8Array, offset: number): void;
  /** The number of outcomes taken; again until it is 0. */
  take(): number;
  /** The last call: nothing is under way. */
  close(): void;
}

interface GgateGeometry {
  /** Bytes. */
  readonly mediaSize: number;
  readonly sectorSize: number;
}

export interface GgateOpened {
  /** A descriptor. */
  readonly control: number;
  readonly left: GgateGeometry;
}

/** Everything that goes to and from the driver's threads goes through these arrays. */
interface GgateDriverOptions {
  readonly control: number;
  /** With `hast/`. */
  readonly name: string;
  readonly geometry: GgateGeometry;
  /** The provider that is there already is taken over when this is equal to `geometry`, else it is replaced. */
  readonly left: GgateGeometry;
  /** For those who list providers. */
  readonly info: string;
  /** After `take`: phase (0 starting, 1 serving, 2 failed, 3 closed), errno, origin (0 created, 1 recovered, 2 replaced). */
  readonly state: Int32Array;
  /** After `take`: the slots that have a request now. Its length is the number of slots. */
  readonly taken: Int32Array;
  /** Four for each slot: command, offset, length, and a number that changes with the slot's buffer. */
  readonly fields: Float64Array;
  /** Two for each answer: slot, errno. */
  readonly answers: Int32Array;
  /** Called in the event loop when there is something to `take`, or the state is another. */
  readonly wake: () => void;
}

/** One GEOM gate provider, served from the moment it is made (native/src/ggate/driver.h). */
export interface GgateDriver {
  /** The number of requests taken; again until it is 0. The event loop may end once it has told of phase 3. */
  take(): number;
  /** The slot's memory; ask for it once for each number in `fields`. */
  buffer(slot: number): ArrayBuffer;
  /** Passes on so many answers, one for each slot taken. */
  answer(count: number): void;
  /** Removes the provider; phase 3 follows. */
  close(): void;
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
