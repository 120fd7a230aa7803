/**
 * A disk with a volatile write cache (core/spec/faults.md section 1). The medium is what a machine has: it survives its
 * users. `visible` is what reads return, `durable` what a power failure leaves at least; a SimDisk is the medium
 * as one process has opened it.
 */
import { assert } from '../core/base/assert.js';
import type { Disk } from '../core/ports/disk.js';
import { portError } from '../core/ports/error.js';
import type { Done, PortError } from '../core/ports/error.js';
import type { Death, SimProcess } from './process.js';
import type { Random } from './random.js';
import type { Scheduled, Scheduler } from './scheduler.js';

export interface MediumOptions {
  /** Bytes, multiple of the sector size. */
  readonly mediaSize: number;
  readonly sectorSize?: number;
  /** Every operation takes a random time in this range. */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
}

export type DiskOperation = 'read' | 'write' | 'delete' | 'flush';

/** Makes operations fail: those of one kind that touch a range (by default the whole medium). */
export interface DiskFault {
  readonly operation: DiskOperation;
  readonly code: 'EIO' | 'ENOSPC' | 'EOPNOTSUPP';
  readonly times: 'once' | 'always';
  /** Bytes. */
  readonly offset?: number;
  readonly length?: number;
}

/** Makes operations of one kind that touch a range (by default the whole medium) take longer. */
export interface DiskDelay {
  readonly operation: DiskOperation;
  readonly delayMs: number;
  /** Bytes. */
  readonly offset?: number;
  readonly length?: number;
}

export class SimMedium {
  readonly mediaSize: number;
  readonly sectorSize: number;
  /** Written and deleted data as reads see it. */
  readonly visible: Uint8Array;
  /** The data that no power failure can take. */
  readonly durable: Uint8Array;
  readonly #random: Random;
  readonly #minDelayMs: number;
  readonly #delayRangeMs: number;
  /** Sectors whose visible data may be newer than the durable. */
  readonly #unflushed = new Set<number>();
  /** What each flush under way will make durable. */
  readonly #flushing = new Set<Set<number>>();
  readonly #faults = new Set<DiskFault>();
  readonly #delays = new Set<DiskDelay>();

  constructor(random: Random, options: MediumOptions) {
    this.mediaSize = options.mediaSize;
    this.sectorSize = options.sectorSize ?? 512;
    assert(this.mediaSize % this.sectorSize === 0, 'a medium has whole sectors');
    this.visible = new Uint8Array(this.mediaSize);
    this.durable = new Uint8Array(this.mediaSize);
    this.#random = random;
    this.#minDelayMs = options.minDelayMs ?? 0.05;
    this.#delayRangeMs = (options.maxDelayMs ?? 2) - this.#minDelayMs;
  }

  /** Opens the medium for a process; its operations end with it. */
  open(scheduler: Scheduler, owner: SimProcess): Disk {
    return new SimDisk(this, scheduler, owner);
  }

  /** Injects a fault; the result removes it. */
  inject(fault: DiskFault): () => void {
    this.#faults.add(fault);
    return () => {
      this.#faults.delete(fault);
    };
  }

  /** Slows operations down that start from now on; the result ends that. */
  slow(delay: DiskDelay): () => void {
    this.#delays.add(delay);
    return () => {
      this.#delays.delete(delay);
    };
  }

  /** Any subset of the sectors that were not flushed is lost. Its users must have died before. */
  losePower(): void {
    const keptOfTwo = this.#random.below(3);
    for (const sector of this.#unflushed) if (this.#random.chance(keptOfTwo, 2)) this.#destage(sector);
    this.#unflushed.clear();
    this.#flushing.clear();
    this.visible.set(this.durable);
  }

  /** @internal Microsecond steps, so that sums of delays are the same on every engine. */
  drawDelayMs(operation: DiskOperation, offset: number, length: number): number {
    let delayMs = this.#minDelayMs + this.#random.below(this.#delayRangeMs * 1000 + 1) / 1000;
    for (const delay of this.#delays) {
      if (delay.operation === operation && this.#touches(delay, offset, length)) delayMs += delay.delayMs;
    }
    return delayMs;
  }

  /** @internal The fault that strikes this operation, if any. */
  strike(operation: DiskOperation, offset: number, length: number): DiskFault | null {
    for (const fault of this.#faults) {
      if (fault.operation !== operation) continue;
      if (operation !== 'flush' && !this.#touches(fault, offset, length)) continue;
      if (fault.times === 'once') this.#faults.delete(fault);
      return fault;
    }
    return null;
  }

  /** @internal Writes `data`, or zeros, to the cache. */
  write(offset: number, length: number, data: Uint8Array | null): void {
    const first = offset / this.sectorSize;
    const end = first + length / this.sectorSize;
    // The cache may have been written back at any time: an older version can be the one that survives.
    const writtenBack = this.#random.chance(1, 2);
    for (let sector = first; sector < end; sector++) {
      let covered = false;
      for (const flush of this.#flushing) covered = flush.delete(sector) || covered;
      if (covered || (writtenBack && this.#unflushed.has(sector))) this.#destage(sector);
      this.#unflushed.add(sector);
    }
    if (data === null) this.visible.fill(0, offset, offset + length);
    else this.visible.set(data, offset);
  }

  /** @internal Starts a flush of all that is in the cache; give the result to `endFlush`. */
  beginFlush(): Set<number> {
    const sectors = new Set(this.#unflushed);
    this.#flushing.add(sectors);
    return sectors;
  }

  /** @internal */
  endFlush(sectors: Set<number>, succeeded: boolean): void {
    this.#flushing.delete(sectors);
    if (!succeeded) return;
    for (const sector of sectors) {
      this.#destage(sector);
      this.#unflushed.delete(sector);
    }
  }

  /** @internal How much of a write that was under way when its process died has happened, sector by sector. */
  drawTorn(sectors: number, death: Death): boolean[] {
    if (death === 'power') return Array.from({ length: sectors }, () => this.#random.chance(1, 2));
    const outcome = this.#random.below(3);
    const done = outcome === 0 ? 0 : outcome === 1 ? sectors : this.#random.below(sectors + 1);
    return Array.from({ length: sectors }, (_, sector) => sector < done);
  }

  #touches(range: { offset?: number; length?: number }, offset: number, length: number): boolean {
    const start = range.offset ?? 0;
    const end = start + (range.length ?? this.mediaSize);
    return offset < end && offset + Math.max(length, 1) > start;
  }

  #destage(sector: number): void {
    const start = sector * this.sectorSize;
    this.durable.set(this.visible.subarray(start, start + this.sectorSize), start);
  }
}

interface Pending {
  readonly operation: DiskOperation;
  readonly offset: number;
  readonly length: number;
  readonly buffer: Uint8Array | null;
  readonly done: Done;
  /** What a flush covers. */
  readonly sectors: Set<number> | null;
  event: Scheduled | null;
}

class SimDisk implements Disk {
  readonly mediaSize: number;
  readonly sectorSize: number;
  readonly #medium: SimMedium;
  readonly #scheduler: Scheduler;
  readonly #owner: SimProcess;
  readonly #pending = new Set<Pending>();
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
    this.#start('read', offset, target.length, target, done);
  }

  write(offset: number, source: Uint8Array, done: Done): void {
    this.#start('write', offset, source.length, source, done);
  }

  delete(offset: number, length: number, done: Done): void {
    this.#start('delete', offset, length, null, done);
  }

  flush(done: Done): void {
    this.#start('flush', 0, 0, null, done);
  }

  close(done: Done): void {
    assert(this.#closed === null, 'the disk is closed once');
    this.#closed = done;
    if (this.#pending.size === 0) this.#endClose();
  }

  #start(
    operation: DiskOperation,
    offset: number,
    length: number,
    buffer: Uint8Array | null,
    done: Done,
  ): void {
    if (!this.#owner.alive) return;
    assert(this.#closed === null, `${operation} on a closed disk`);
    if (operation !== 'flush') {
      assert(
        offset % this.sectorSize === 0 && length % this.sectorSize === 0,
        `${operation} of whole sectors`,
      );
      assert(
        length > 0 && offset >= 0 && offset + length <= this.mediaSize,
        `${operation} within the medium`,
      );
    }
    const sectors = operation === 'flush' ? this.#medium.beginFlush() : null;
    const pending: Pending = { operation, offset, length, buffer, done, sectors, event: null };
    this.#pending.add(pending);
    pending.event = this.#scheduler.after(this.#medium.drawDelayMs(operation, offset, length), () => {
      this.#complete(pending);
    });
  }

  #complete(pending: Pending): void {
    this.#pending.delete(pending);
    const isLast = this.#closed !== null && this.#pending.size === 0;
    const fault = this.#medium.strike(pending.operation, pending.offset, pending.length);
    this.#apply(pending, fault);
    this.#owner.run(() => {
      pending.done(fault === null ? null : faultError(pending, fault));
    });
    if (isLast) this.#endClose();
  }

  #apply(pending: Pending, fault: DiskFault | null): void {
    const { operation, offset, buffer } = pending;
    if (pending.sectors !== null) {
      this.#medium.endFlush(pending.sectors, fault === null);
      return;
    }
    // What lies before the faulty range is transferred.
    const good = fault === null ? pending.length : Math.max(0, (fault.offset ?? 0) - offset);
    const length = good - (good % this.sectorSize);
    if (length === 0) return;
    if (operation === 'read') buffer?.set(this.#medium.visible.subarray(offset, offset + length));
    else this.#medium.write(offset, length, buffer?.subarray(0, length) ?? null);
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
    for (const pending of this.#pending) {
      pending.event?.cancel();
      if (pending.sectors !== null) this.#medium.endFlush(pending.sectors, false);
      else if (pending.operation !== 'read') this.#tear(pending, death);
    }
    this.#pending.clear();
  }

  #tear(pending: Pending, death: Death): void {
    const size = this.sectorSize;
    const torn = this.#medium.drawTorn(pending.length / size, death);
    torn.forEach((happened, sector) => {
      const start = sector * size;
      const data = pending.buffer?.subarray(start, start + size) ?? null;
      if (happened) this.#medium.write(pending.offset + start, size, data);
    });
  }
}

function faultError(pending: Pending, fault: DiskFault): PortError {
  const where = pending.operation === 'flush' ? '' : ` of ${pending.length} bytes at ${pending.offset}`;
  return portError(fault.code, `${pending.operation}${where} failed`);
}
