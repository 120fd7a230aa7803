/**
 * Local components on real media: regular files, block and character devices. Transfers are done inline where that is
 * quick (inline-transfers.ts), all others by a pool of threads (disk-pool.ts).
 */
import { constants, fstatSync } from 'node:fs';
import * as fs from 'node:fs';
import { afterAll } from '../core/base/after-all.js';
import { assert } from '../core/base/assert.js';
import type { Turns } from '../core/base/turns.js';
import type { Disk, DiskWrite } from '../core/ports/disk.js';
import { isPortError, portError } from '../core/ports/error.js';
import type { Done, PortError } from '../core/ports/error.js';
import { finishedWith } from './addon.js';
import type { Addon } from './addon.js';
import { deviceSize } from './device-size.js';
import { DEVICE_THREADS, FILE_THREADS, newDiskPool, NO_TRANSFER, type DiskPool } from './disk-pool.js';
import { portErrorOf } from './errors.js';
import {
  DEVICE_POLICY,
  inlinePolicy,
  InlineTransfers,
  transferError,
  type InlinePolicy,
  type Transfer,
} from './inline-transfers.js';
import { lockExclusive } from './lock.js';

export interface OpenDiskOptions {
  readonly access: 'read' | 'readWrite';
  /** Takes the exclusive lock, or fails with EWOULDBLOCK. */
  readonly lock: boolean;
}

/** Sector size of regular files. */
const FILE_SECTOR_SIZE = 512;
/** More writes than these are made durable by one flush of everything: each would wait for the medium by itself. */
const MOST_WRITTEN_THROUGH = 4;
/** What fdatasync(2) says of a medium that has nothing like a cache to flush. */
const NO_CACHE: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOTTY']);
/** Deleting without the system's help writes pieces of so many bytes. */
const ZEROS = new Uint8Array(1024 * 1024);

/**
 * Opens a component; `path` has one character per byte (Latin-1). The error's message says why, without the path. A
 * file's media size need not be a whole number of sectors.
 */
export async function openDisk(
  path: string,
  options: OpenDiskOptions,
  turns: Turns,
  addon: Addon | null,
): Promise<Disk | PortError> {
  const name = Buffer.from(path, 'latin1');
  // A FIFO would not open before somebody writes to it.
  const flags = (options.access === 'read' ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK;
  const fd = await open(name, flags);
  if (isPortError(fd)) return fd;
  const through = options.access === 'read' ? null : await openThrough(name, flags, fd);
  const disk = describe({ fd, through }, path, options, turns, addon);
  if (isPortError(disk)) {
    fs.closeSync(fd);
    if (through !== null) fs.closeSync(through);
  }
  return disk;
}

function open(name: Buffer, flags: number): Promise<number | PortError> {
  return new Promise((resolve) => {
    fs.open(name, flags, (error, opened) => {
      resolve(error === null ? opened : portErrorOf(error));
    });
  });
}

/**
 * The same file or device once more, its writes durable when they end: they wait for no other data, as a flush does. Null where
 * that is not known to be kept: FreeBSD's devices take the flag and ignore it, and so may filesystems that a process serves.
 */
async function openThrough(name: Buffer, flags: number, fd: number): Promise<number | null> {
  const flag: number | undefined = constants.O_DSYNC;
  const first = fstatSync(fd);
  const isTrusted = first.isFile()
    ? inlinePolicy(name).writes
    : first.isBlockDevice() && process.platform === 'linux';
  if (flag === undefined || !isTrusted) return null;
  const through = await open(name, flags | flag);
  if (isPortError(through)) return null;
  const second = fstatSync(through);
  if (second.ino === first.ino && second.dev === first.dev) return through;
  fs.closeSync(through);
  return null;
}

function describe(
  { fd, through }: Pick<OpenFile, 'fd' | 'through'>,
  path: string,
  options: OpenDiskOptions,
  turns: Turns,
  addon: Addon | null,
): Disk | PortError {
  const stat = fstatSync(fd, { bigint: true });
  const isDevice = stat.isBlockDevice() || stat.isCharacterDevice();
  if (!isDevice && !stat.isFile())
    return portError('EINVAL', 'it is neither a disk device nor a regular file');
  const size = isDevice
    ? deviceSize(fd, path, stat.rdev, addon)
    : { mediaSize: Number(stat.size), sectorSize: FILE_SECTOR_SIZE };
  if (isPortError(size)) return size;
  if (options.lock) {
    const lockError = lockExclusive(fd, addon);
    if (lockError !== null) return lockError;
  }
  const inline = isDevice ? DEVICE_POLICY : inlinePolicy(Buffer.from(path, 'latin1'));
  const threads = isDevice ? DEVICE_THREADS : FILE_THREADS;
  const file: OpenFile = { fd, through, turns, inline, threads, ...size };
  return isDevice ? new DeviceDisk(file, addon) : new FileDisk(file, addon);
}

interface OpenFile {
  readonly fd: number;
  /** Another descriptor, for writes that are durable when they end. */
  readonly through: number | null;
  readonly turns: Turns;
  readonly inline: InlinePolicy;
  /** Operations under way at once, where they may wait. */
  readonly threads: number;
  readonly mediaSize: number;
  readonly sectorSize: number;
}

/** What files and devices have in common: transfers, and closing after the last operation. */
abstract class FdDisk implements Disk {
  readonly mediaSize: number;
  readonly sectorSize: number;
  protected readonly fd: number;
  protected readonly addon: Addon | null;
  readonly #through: number | null;
  readonly #turns: Turns;
  readonly #pool: DiskPool;
  readonly #inline: InlineTransfers;
  #outstanding = 0;
  #closed: Done | null = null;

  constructor(open: OpenFile, addon: Addon | null) {
    this.addon = addon;
    this.fd = open.fd;
    this.#through = open.through;
    this.#turns = open.turns;
    this.#pool = newDiskPool(open.turns, addon, open.threads);
    this.#inline = new InlineTransfers(open.fd, open.turns, addon, open.inline, {
      inPool: (transfer) => {
        this.#transferInPool(transfer);
      },
      ended: (count) => {
        this.ended(count);
      },
    });
    this.mediaSize = open.mediaSize;
    this.sectorSize = open.sectorSize;
  }

  read(offset: number, target: Uint8Array, done: Done): void {
    this.#check(offset, target.length);
    this.#begin();
    this.#inline.add({ kind: 'read', offset, buffer: target, done });
  }

  write(offset: number, source: Uint8Array, done: Done): void {
    this.#check(offset, source.length);
    this.#begin();
    this.#inline.add({ kind: 'write', offset, buffer: source, done });
  }

  writeAll(writes: readonly DiskWrite[], durably: boolean, done: Done): void {
    assert(writes.length > 0, 'something is written');
    for (const { offset, source } of writes) this.#check(offset, source.length);
    // Until all is over: there is more to come when the writes have ended.
    this.#begin();
    const end: Done = (error) => {
      this.ended(1);
      done(error);
    };
    if (durably && this.#through !== null && writes.length <= MOST_WRITTEN_THROUGH) {
      this.#writeThrough(this.#through, writes, end);
    } else {
      this.#writePlainly(writes, durably, end);
    }
  }

  delete(offset: number, length: number, done: Done): void {
    this.#check(offset, length);
    this.#begin();
    this.free(offset, length, this.finish(done));
  }

  flush(done: Done): void {
    assert(this.#closed === null, 'an operation on a closed disk');
    this.#flush(done);
  }

  close(done: Done): void {
    assert(this.#closed === null, 'the disk is closed once');
    this.#closed = done;
    if (this.#outstanding === 0) this.#closeNow();
  }

  protected abstract free(offset: number, length: number, done: Done): void;
  /** `done` is called in a turn, and `ended` after it. */
  protected abstract sync(done: Done): void;

  #transferInPool({ kind, offset, buffer, done }: Transfer): void {
    const ended = (error: PortError | null, bytes: number): void => {
      done(error ?? transferError(kind, bytes, buffer.length));
      this.ended(1);
    };
    this.#pool.add({ kind, fd: this.fd, offset, buffer, ended });
  }

  /** What to call, outside a turn, when an operation has ended. */
  protected finish(done: Done): Done {
    return (error) => {
      this.#turns.run(() => {
        done(error);
      });
      this.ended(1);
    };
  }

  /** So many operations have ended. */
  protected ended(count: number): void {
    this.#outstanding -= count;
    if (this.#closed !== null && this.#outstanding === 0) this.#closeNow();
  }

  /** What `delete` falls back to; one piece after the other. */
  protected writeZeros(offset: number, length: number, done: Done): void {
    const piece = ZEROS.subarray(0, Math.min(length, ZEROS.length));
    fs.write(this.fd, piece, 0, piece.length, offset, (error, bytes) => {
      const failure = error === null ? transferError('write', bytes, piece.length) : portErrorOf(error);
      if (failure !== null || length === piece.length) done(failure);
      else this.writeZeros(offset + piece.length, length - piece.length, done);
    });
  }

  protected fdatasync(done: Done): void {
    const ended = (error: PortError | null): void => {
      const cannot = error !== null && NO_CACHE.has(error.code);
      done(cannot ? portError('EOPNOTSUPP', 'the medium cannot flush') : error);
      this.ended(1);
    };
    this.#pool.add({ kind: 'sync', fd: this.fd, ...NO_TRANSFER, ended });
  }

  /** Whatever goes wrong is tried in the other way, which knows what the medium cannot do. */
  #writeThrough(through: number, writes: readonly DiskWrite[], done: Done): void {
    let left = writes.length;
    let isWell = true;
    for (const { offset, source: buffer } of writes) {
      const ended = (error: PortError | null, bytes: number): void => {
        isWell &&= error === null && bytes === buffer.length;
        if (--left > 0) return;
        if (isWell) done(null);
        else this.#writePlainly(writes, true, done);
      };
      this.#pool.add({ kind: 'write', fd: through, offset, buffer, ended });
    }
  }

  #writePlainly(writes: readonly DiskWrite[], durably: boolean, done: Done): void {
    const written = afterAll(writes.length, (failure) => {
      if (failure?.code === 'EOPNOTSUPP') done(portError('EIO', failure.message));
      else if (failure !== null || !durably) done(failure);
      else this.#flush(done);
    });
    for (const { offset, source } of writes) {
      this.#outstanding++;
      this.#inline.add({ kind: 'write', offset, buffer: source, done: written });
    }
  }

  #flush(done: Done): void {
    this.#outstanding++;
    this.sync(done);
  }

  #check(offset: number, length: number): void {
    assert(offset % this.sectorSize === 0 && length % this.sectorSize === 0, 'disks transfer whole sectors');
    assert(
      length > 0 && offset >= 0 && offset + length <= this.mediaSize,
      'disks transfer within the medium',
    );
  }

  /** Counts an operation: a closed descriptor's number may belong to another file. */
  #begin(): void {
    assert(this.#closed === null, 'an operation on a closed disk');
    this.#outstanding++;
  }

  #closeNow(): void {
    this.#pool.close();
    if (this.#through !== null) fs.closeSync(this.#through);
    fs.close(this.fd, (error) => {
      this.#turns.run(() => this.#closed?.(error ? portErrorOf(error) : null));
    });
  }
}

class FileDisk extends FdDisk {
  #punches: boolean;

  constructor(open: OpenFile, addon: Addon | null) {
    super(open, addon);
    this.#punches = addon !== null;
  }

  protected override free(offset: number, length: number, done: Done): void {
    if (!this.#punches) {
      this.writeZeros(offset, length, done);
      return;
    }
    this.addon?.punchHole(
      this.fd,
      offset,
      length,
      finishedWith((error) => {
        if (error?.code !== 'EOPNOTSUPP' && error?.code !== 'ENOSYS') {
          done(error);
          return;
        }
        this.#punches = false;
        this.writeZeros(offset, length, done);
      }),
    );
  }

  protected override sync(done: Done): void {
    this.fdatasync(done);
  }
}

class DeviceDisk extends FdDisk {
  protected override free(offset: number, length: number, done: Done): void {
    if (this.addon === null) this.writeZeros(offset, length, done);
    else this.addon.discard(this.fd, offset, length, finishedWith(done));
  }

  /** On Linux fdatasync(2) empties a device's cache; on FreeBSD only an ioctl does. */
  protected override sync(done: Done): void {
    if (process.platform === 'linux') this.fdatasync(done);
    else if (this.addon === null) this.#cannotFlush(this.finish(done));
    else this.addon.flushDevice(this.fd, finishedWith(this.finish(done)));
  }

  #cannotFlush(done: Done): void {
    setImmediate(() => {
      done(portError('EOPNOTSUPP', 'flushing a device needs the addon (npm run build with a C++ compiler)'));
    });
  }
}
