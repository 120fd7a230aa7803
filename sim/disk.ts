/** A medium as one process has opened it: operations take their time, fail as the medium does, and die with the process. */
import { afterAll } from '../core/base/after-all.js';
import { assert } from '../core/base/assert.js';
import type { Disk, DiskWrite } from '../core/ports/disk.js';
import { portError } from '../core/ports/error.js';
import type { Done, PortError } from '../core/ports/error.js';
import type { DiskFault, DiskOperation } from './disk-faults.js';
import type { EventHandler } from './event-heap.js';
import type { SimMedium } from './medium.js';
import type { Death, SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** In the trace hash. */
const DONE_NOTE = 0x6469736b;
const FAILED_NOTE = 0x62616421;

/** One operation under way, and used again for others after it. */
class Pending implements EventHandler {
  operation: DiskOperation = 'read';
  offset = 0;
  length = 0;
  buffer: Uint8Array | null = null;
  done: Done | null = null;
  /** Of a flush: what it covers; everything, if there are no ranges. */
  epoch = 0;
  ranges: readonly DiskWrite[] | null = null;
  /** Of the event that completes it. */
  ticket = 0;
  error: PortError | null = null;
  /** Where it is among the operations under way. */
  index = 0;
  readonly #disk: SimDisk;
  /** Tells whoever started it; a turn. */
  readonly tell = (): void => {
    const { done, error } = this;
    this.#disk.recycle(this);
    done?.(error);
  };

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  happen(): void {
    this.#disk.complete(this);
  }
}

export class SimDisk implements Disk {
  readonly mediaSize: number;
  readonly sectorSize: number;
  readonly #medium: SimMedium;
  readonly #scheduler: Scheduler;
  readonly #owner: SimProcess;
  readonly #pending: Pending[] = [];
  readonly #idle: Pending[] = [];
  /** Those of a file that are due together, with one ticket. */
  #gathered: Pending[] = [];
  readonly #moment: EventHandler = {
    happen: () => {
      this.#transferGathered();
    },
  };
  readonly #forgetOwner: () => void;
  #closed: Done | null = null;

  constructor(medium: SimMedium, scheduler: Scheduler, owner: SimProcess) {
    this.mediaSize = medium.mediaSize;
    this.sectorSize = medium.sectorSize;
    this.#medium = medium;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#forgetOwner = owner.onDeath((death) => {
      this.#abandon(death);
    });
  }

  read(offset: number, target: Uint8Array, done: Done): void {
    this.#checkOpen('read');
    this.#start('read', offset, target.length, target, done);
  }

  write(offset: number, source: Uint8Array, done: Done): void {
    this.#checkOpen('write');
    this.#start('write', offset, source.length, source, done);
  }

  /** Durable is what was to be, and nothing besides. */
  writeAll(writes: readonly DiskWrite[], durably: boolean, done: Done): void {
    assert(writes.length > 0, 'something is written');
    const written = afterAll(writes.length, (failure) => {
      if (failure !== null) done(failure.code === 'EOPNOTSUPP' ? portError('EIO', failure.message) : failure);
      else if (durably) this.#start('flush', 0, 0, null, done, writes);
      else done(null);
    });
    for (const { offset, source } of writes) this.write(offset, source, written);
  }

  delete(offset: number, length: number, done: Done): void {
    this.#checkOpen('delete');
    this.#start('delete', offset, length, null, done);
  }

  flush(done: Done): void {
    this.#checkOpen('flush');
    this.#start('flush', 0, 0, null, done);
  }

  close(done: Done): void {
    assert(this.#closed === null, 'the disk is closed once');
    this.#closed = done;
    if (this.#pending.length === 0) this.#endClose();
  }

  /** @internal The time of an operation has come. */
  complete(pending: Pending): void {
    const medium = this.#medium;
    if (medium.faults.isStuck) {
      medium.faults.park(() => {
        if (this.#owner.alive) this.#schedule(pending);
      });
      return;
    }
    this.#transfer(pending);
    this.#owner.run(pending.tell);
    if (this.#closed !== null && this.#pending.length === 0) this.#endClose();
  }

  /** What happens to the medium; the operation is over. */
  #transfer(pending: Pending): void {
    const medium = this.#medium;
    this.#remove(pending);
    const { operation, offset, length } = pending;
    const fault = medium.faults.strike(operation, offset, length);
    let good = length;
    // What lies before the faulty range, or the end of the medium, is transferred.
    if (fault !== null) {
      good = Math.max(0, (fault.offset ?? 0) - offset);
      pending.error = faultError(pending, fault);
    }
    if (medium.faults.isShort && offset + good > medium.mediaSize) {
      good = Math.max(0, medium.mediaSize - offset);
      pending.error ??= faultError(pending, BEYOND_END);
    }
    this.#scheduler.note(pending.error === null ? DONE_NOTE : FAILED_NOTE, offset, length);
    this.#apply(pending, good - (good % this.sectorSize));
    if (operation === 'write' || operation === 'delete') medium.observer?.writeEnded(offset, length);
  }

  /** A file in the page cache: whatever waits is transferred, in the order of its start, and told in one turn. */
  #transferGathered(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    if (this.#medium.faults.isStuck) {
      for (const pending of gathered) this.complete(pending);
      return;
    }
    for (const pending of gathered) this.#transfer(pending);
    this.#owner.run(() => {
      for (const pending of gathered) if (this.#owner.alive) pending.tell();
    });
    if (this.#closed !== null && this.#pending.length === 0) this.#endClose();
  }

  /** @internal */
  recycle(pending: Pending): void {
    pending.buffer = null;
    pending.ranges = null;
    pending.done = null;
    pending.error = null;
    this.#idle.push(pending);
  }

  #start(
    operation: DiskOperation,
    offset: number,
    length: number,
    buffer: Uint8Array | null,
    done: Done,
    ranges: readonly DiskWrite[] | null = null,
  ): void {
    if (!this.#owner.alive) return;
    if (operation !== 'flush') this.#checkRange(operation, offset, length);
    const pending = this.#idle.pop() ?? new Pending(this);
    pending.operation = operation;
    pending.offset = offset;
    pending.length = length;
    pending.buffer = buffer;
    pending.done = done;
    pending.ranges = ranges;
    if (operation === 'flush') pending.epoch = this.#medium.beginFlush();
    else if (operation !== 'read') this.#medium.observer?.writeStarted(offset, length, buffer);
    pending.index = this.#pending.push(pending) - 1;
    if (this.#isQuick(pending)) this.#gather(pending);
    else this.#schedule(pending);
  }

  #isQuick({ operation, offset, length }: Pending): boolean {
    const { isCached, faults } = this.#medium;
    if (!isCached || (operation !== 'read' && operation !== 'write')) return false;
    return faults.delayMsOf(operation, offset, length) === 0;
  }

  #gather(pending: Pending): void {
    const [first] = this.#gathered;
    this.#gathered.push(pending);
    pending.ticket = first?.ticket ?? this.#scheduler.schedule(this.#medium.drawCachedMs(), this.#moment);
  }

  #checkOpen(operation: DiskOperation): void {
    if (this.#owner.alive && this.#closed !== null) assert(false, `${operation} on a closed disk`);
  }

  #checkRange(operation: DiskOperation, offset: number, length: number): void {
    const size = this.sectorSize;
    if (offset % size !== 0 || length % size !== 0) assert(false, `${operation} of whole sectors`);
    const isWithin = length > 0 && offset >= 0 && offset + length <= this.mediaSize;
    if (!isWithin) assert(false, `${operation} within the medium`);
  }

  #schedule(pending: Pending): void {
    const { nowMs } = this.#scheduler;
    const { operation, offset, length } = pending;
    const delayMs = this.#medium.drawDelayMs(nowMs, operation, offset, length);
    pending.ticket = this.#scheduler.schedule(delayMs, pending);
  }

  #remove(pending: Pending): void {
    const last = this.#pending.pop();
    if (last === undefined || last === pending) return;
    this.#pending[pending.index] = last;
    last.index = pending.index;
  }

  /** Transfers the first `length` bytes. */
  #apply(pending: Pending, length: number): void {
    const { operation, offset, buffer } = pending;
    if (operation === 'flush') {
      if (pending.error === null) this.#medium.endFlush(pending.epoch, pending.ranges);
    } else if (length > 0) {
      if (operation === 'read') buffer?.set(this.#medium.visible.subarray(offset, offset + length));
      else this.#medium.write(offset, length, buffer);
    }
  }

  #endClose(): void {
    this.#forgetOwner();
    const done = this.#closed;
    this.#scheduler.after(0, () => {
      this.#owner.run(() => done?.(null));
    });
  }

  /** The process died: completions are lost, and what was under way may have happened in part. */
  #abandon(death: Death): void {
    for (const { ticket, operation, offset, length, buffer } of this.#pending) {
      this.#scheduler.cancel(ticket);
      if (operation !== 'write' && operation !== 'delete') continue;
      this.#medium.tear(offset, length, buffer, death);
      this.#medium.observer?.writeEnded(offset, length);
    }
    this.#pending.length = 0;
    this.#gathered = [];
  }
}

const BEYOND_END = { code: 'EIO' } as const;

function faultError(pending: Pending, { code }: Pick<DiskFault, 'code'>): PortError {
  const where = pending.operation === 'flush' ? '' : ` of ${pending.length} bytes at ${pending.offset}`;
  return portError(code, `${pending.operation}${where} failed`);
}
