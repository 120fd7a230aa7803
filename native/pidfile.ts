/**
 * The pidfile (core/spec/cli.md section 9): an exclusive lock, held for life, says that a daemon runs; the decimal
 * number in it, without a newline, says which one. A file without a lock is left over and means nothing.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:fs';
import type { PortError } from '../core/ports/error.js';
import { portErrorOf } from './errors.js';
import { systemText } from './text.js';

/** Takes the exclusive lock of an open file without waiting; EWOULDBLOCK: another process has it. */
export type LockDescriptor = (descriptor: number) => PortError | null;

export type PidfileOpening =
  | { readonly kind: 'held'; readonly pidfile: Pidfile }
  /** `pid` is -1 when the other daemon did not write its number in time. */
  | { readonly kind: 'running'; readonly pid: number }
  | { readonly kind: 'failed'; readonly error: PortError };

const MODE = 0o600;
const READ_ATTEMPTS = 20;
const READ_RETRY_MS = 5;
/** A file that vanishes between opening and locking belonged to a daemon that was just ending. */
const OPEN_ATTEMPTS = 10;

/** Creates or takes over the file at `path`, locked and empty. */
export function openPidfile(path: string, lock: LockDescriptor): PidfileOpening {
  for (let attempt = 1; ; attempt++) {
    let descriptor: number;
    try {
      descriptor = openSync(systemText(path), constants.O_RDWR | constants.O_CREAT, MODE);
    } catch (error) {
      return { kind: 'failed', error: portErrorOf(error) };
    }
    const refusal = lock(descriptor);
    if (refusal !== null) {
      closeSync(descriptor);
      return refusal.code === 'EWOULDBLOCK'
        ? { kind: 'running', pid: pidOf(path) }
        : { kind: 'failed', error: refusal };
    }
    if (attempt === OPEN_ATTEMPTS || isStillAt(path, descriptor)) {
      ftruncateSync(descriptor);
      return { kind: 'held', pidfile: new Pidfile(path, descriptor) };
    }
    closeSync(descriptor);
  }
}

/** Ours until the process ends or `remove`. */
export class Pidfile {
  readonly path: string;
  readonly #descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Tells everybody who we are. */
  write(pid: number): PortError | null {
    try {
      ftruncateSync(this.#descriptor);
      writeSync(this.#descriptor, String(pid), 0);
      return null;
    } catch (error) {
      return portErrorOf(error);
    }
  }

  /** Deletes the file, while it is still locked, and lets it go. */
  remove(): void {
    try {
      unlinkSync(systemText(this.path));
    } catch {
      // Somebody else removed it; that is what was wanted.
    }
    closeSync(this.#descriptor);
  }
}

function isStillAt(path: string, descriptor: number): boolean {
  try {
    const [named, opened] = [statSync(systemText(path)), fstatSync(descriptor)];
    return named.ino === opened.ino && named.dev === opened.dev;
  } catch {
    return false;
  }
}

/** A daemon that is just starting has locked the file but not written it yet. */
function pidOf(path: string): number {
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    const pid = Number(readText(path));
    if (Number.isInteger(pid) && pid > 0) return pid;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READ_RETRY_MS);
  }
  return -1;
}

function readText(path: string): string {
  try {
    return readFileSync(systemText(path), 'latin1');
  } catch {
    return '';
  }
}
