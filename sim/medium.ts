/**
 * A medium with a volatile write cache (core/spec/faults.md section 1): what a machine has, and what survives its users.
 * `visible` is what reads return, `durable` what a power failure leaves at least; sim/disk.ts is the medium as one
 * process has opened it.
 */
import { assert } from '../core/base/assert.js';
import type { Disk, DiskWrite } from '../core/ports/disk.js';
import { DiskCache } from './disk-cache.js';
import {
  DiskFaults,
  type DiskDelay,
  type DiskFault,
  type DiskOperation,
  type Misdirection,
} from './disk-faults.js';
import { SimDisk } from './disk.js';
import type { Death, SimProcess } from './process.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

export interface MediumOptions {
  /** Bytes, multiple of the sector size. */
  readonly mediaSize: number;
  readonly sectorSize?: number;
  /** Every operation takes a random time in this range. */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  /**
   * A file in the page cache, as native/inline-transfers.ts uses it: reads and writes of a moment are done together, in their order,
   * and told in one turn.
   */
  readonly isCached?: boolean;
}

/** Hears what users do to a medium; not what is done to it from outside (`imprint`, `corrupt`, `restore`, ...). */
export interface MediumObserver {
  /** Somebody wants a range written, or deleted (`source` is null); it may fail, or happen in part. */
  writeStarted(offset: number, length: number, source: Uint8Array | null): void;
  /** The visible image has new bytes here. */
  written(offset: number, length: number): void;
  /** What had started is over: done, failed, or given up with its process. */
  writeEnded(offset: number, length: number): void;
  /** Everything written before some flush began, or some of it, is durable; a flush that lies does not get here. */
  flushed(): void;
  /** What was not durable is gone. */
  lostPower(): void;
}

/** Microseconds. */
const MAX_CACHED_STEPS = 100;

export class SimMedium {
  readonly sectorSize: number;
  readonly isCached: boolean;
  /** Written and deleted data as reads see it. */
  readonly visible: Uint8Array;
  /** The data that no power failure can take. */
  readonly durable: Uint8Array;
  /** The same bytes, 32 bits at a time. */
  readonly visibleWords: Uint32Array;
  readonly durableWords: Uint32Array;
  observer: MediumObserver | null = null;
  readonly #cache: DiskCache;
  readonly #faults: DiskFaults;
  /** When the last operation that a fault slowed down is over. */
  #slowUntilMs = -Infinity;
  readonly #random: Random;
  readonly #minDelayMs: number;
  /** Delays are whole microseconds above the least, so that sums of them are the same on every engine. */
  readonly #delaySteps: number;

  constructor(random: Random, options: MediumOptions) {
    this.sectorSize = options.sectorSize ?? 512;
    this.isCached = options.isCached ?? false;
    assert(options.mediaSize % this.sectorSize === 0, 'a medium has whole sectors');
    this.#random = random;
    this.#faults = new DiskFaults(options.mediaSize);
    this.#cache = new DiskCache(options.mediaSize, this.sectorSize, random);
    this.visible = this.#cache.visible;
    this.durable = this.#cache.durable;
    this.visibleWords = this.#cache.visibleWords;
    this.durableWords = this.#cache.durableWords;
    this.#minDelayMs = options.minDelayMs ?? 0.05;
    this.#delaySteps = Math.floor(((options.maxDelayMs ?? 2) - this.#minDelayMs) * 1000 + 1);
  }

  /** Bytes: what somebody who opens it now is told. */
  get mediaSize(): number {
    return this.#faults.mediaSize;
  }

  /** Go up with every change of the metadata block (the first 4096 bytes) in the image. */
  get visibleMetadataVersion(): number {
    return this.#cache.visibleMetadataVersion;
  }

  get durableMetadataVersion(): number {
    return this.#cache.durableMetadataVersion;
  }

  /** Opens the medium for a process; its operations end with it. */
  open(scheduler: Scheduler, owner: SimProcess): Disk {
    return new SimDisk(this, scheduler, owner);
  }

  /** A fault is in force, or was when something began that is still under way. */
  isFaultyAt(nowMs: number): boolean {
    return this.#faults.any || nowMs < this.#slowUntilMs;
  }

  /** Injects a fault; the result removes it, as with all that follow. */
  inject(fault: DiskFault): () => void {
    return this.#faults.fail(fault);
  }

  /** Slows operations down that start from now on. */
  slow(delay: DiskDelay): () => void {
    return this.#faults.delay(delay);
  }

  /** Nothing completes any more, neither well nor with an error, until the removal. */
  stick(): () => void {
    return this.#faults.stick();
  }

  /** Flushes say that all is well and make nothing durable. */
  lie(): () => void {
    return this.#faults.lie();
  }

  misdirect(misdirection: Misdirection): () => void {
    assert(misdirection.to % this.sectorSize === 0, 'writes land on whole sectors');
    return this.#faults.misdirect(misdirection);
  }

  /** The medium gets smaller: what is behind the end fails for its users (EIO), the next one sees the new size. */
  shrink(mediaSize: number): () => void {
    assert(mediaSize % this.sectorSize === 0, 'a medium has whole sectors');
    return this.#faults.shrink(mediaSize);
  }

  /** Removes every fault; damage to the data stays. */
  repairAll(): void {
    this.#faults.removeAll();
  }

  /** One bit of the byte at `offset` is not what was written, and nobody is told. */
  corrupt(offset: number, bit: number): void {
    this.#cache.flip(offset, (1 << bit) << (8 * (offset & 3)));
  }

  /** Nothing in the sector at `offset` is what was written. */
  corruptSector(offset: number): void {
    const start = offset - (offset % this.sectorSize);
    for (let at = start; at < start + this.sectorSize; at += 4) {
      this.#cache.flip(at, Math.imul(at + 1, 0x9e3779b1) | 0x01010101);
    }
  }

  /** Puts bytes on the medium with a program of the operator, durably. */
  imprint(offset: number, bytes: Uint8Array): void {
    this.#cache.imprint(offset, bytes);
  }

  /** A copy of the visible image. */
  snapshot(): Uint8Array {
    return this.visible.slice();
  }

  /** A medium with this image, of the same size, is there instead: an old snapshot, another node's disk. */
  restore(image: Uint8Array): void {
    assert(image.length === this.visible.length, 'the image of another size');
    this.#cache.restore(image);
  }

  /** Any subset of the sectors that were not flushed is lost. Its users must have died before. */
  losePower(): void {
    this.#cache.losePower();
    this.observer?.lostPower();
  }

  /** @internal */
  get faults(): DiskFaults {
    return this.#faults;
  }

  /** @internal How long an operation takes that begins at `nowMs`. */
  drawDelayMs(nowMs: number, operation: DiskOperation, offset: number, length: number): number {
    const delayMs = this.#minDelayMs + this.#random.below(this.#delaySteps) / 1000;
    const extraMs = this.#faults.delayMsOf(operation, offset, length);
    if (extraMs > 0) this.#slowUntilMs = Math.max(this.#slowUntilMs, nowMs + delayMs + extraMs);
    return delayMs + extraMs;
  }

  /** @internal How long a file takes that is in the page cache. */
  drawCachedMs(): number {
    return this.#random.below(MAX_CACHED_STEPS) / 1000;
  }

  /** @internal Writes `length` bytes of `data`, or zeros, to the cache. */
  write(offset: number, length: number, data: Uint8Array | null): void {
    const place = data === null ? offset : this.#faults.placeOf(offset, length);
    this.#cache.write(place, length, data);
    this.#faults.written(place, length);
    this.observer?.written(place, length);
  }

  /** @internal Starts a flush; give the result to `endFlush` if it succeeds. */
  beginFlush(): number {
    return this.#cache.beginFlush();
  }

  /** @internal `ranges`: of writes that it is for; null for all. */
  endFlush(epoch: number, ranges: readonly DiskWrite[] | null): void {
    if (this.#faults.lies) return;
    if (ranges === null) this.#cache.endFlush(epoch, 0, this.visible.length);
    else for (const { offset, source } of ranges) this.#cache.endFlush(epoch, offset, source.length);
    this.observer?.flushed();
  }

  /** @internal A write was under way when its process died: some of it has happened, sector by sector. */
  tear(offset: number, length: number, data: Uint8Array | null, death: Death): void {
    const size = this.sectorSize;
    const outcome = this.#random.below(3);
    const sectors = length / size;
    const done = outcome === 0 ? 0 : outcome === 1 ? sectors : this.#random.below(sectors + 1);
    if (death === 'killed') {
      if (done > 0) this.write(offset, done * size, data);
      return;
    }
    for (let at = 0; at < length; at += size) {
      if (this.#random.chance(1, 2)) this.write(offset + at, size, data?.subarray(at, at + size) ?? null);
    }
  }
}
