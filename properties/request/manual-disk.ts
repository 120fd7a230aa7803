import { afterAll } from '../../core/base/after-all.js';
import type { Disk, DiskWrite } from '../../core/ports/disk.js';
import { portError, type Done } from '../../core/ports/error.js';
import type { DiskOperation } from '../../sim/disk-faults.js';

/** One operation that the core has asked for and that waits to be completed. */
export interface DiskOrder {
  readonly operation: DiskOperation;
  readonly offset: number;
  readonly length: number;
  readonly buffer: Uint8Array | null;
  readonly done: Done;
}

/** A local component whose operations complete when the test says so; nothing it stores is ever lost. */
export class ManualDisk implements Disk {
  readonly mediaSize: number;
  readonly sectorSize: number;
  readonly bytes: Uint8Array;
  /** In the order in which they were asked for. */
  readonly orders: DiskOrder[] = [];
  /** Told of every completion before the core is. */
  completed: (order: DiskOrder, code: string | null) => void = () => undefined;
  readonly #run: (callback: () => void) => void;

  /** `run` makes a completion a turn of the process that uses the disk. */
  constructor(mediaSize: number, run: (callback: () => void) => void, sectorSize = 512) {
    this.sectorSize = sectorSize;
    this.mediaSize = mediaSize;
    this.bytes = new Uint8Array(mediaSize);
    this.#run = run;
  }

  read(offset: number, target: Uint8Array, done: Done): void {
    this.orders.push({ operation: 'read', offset, length: target.length, buffer: target, done });
  }

  write(offset: number, source: Uint8Array, done: Done): void {
    this.orders.push({ operation: 'write', offset, length: source.length, buffer: source, done });
  }

  /** As so many writes, and a flush after them. */
  writeAll(writes: readonly DiskWrite[], durably: boolean, done: Done): void {
    const written = afterAll(writes.length, (failure) => {
      if (failure === null && durably) this.flush(done);
      else done(failure);
    });
    for (const { offset, source } of writes) this.write(offset, source, written);
  }

  delete(offset: number, length: number, done: Done): void {
    this.orders.push({ operation: 'delete', offset, length, buffer: null, done });
  }

  flush(done: Done): void {
    this.orders.push({ operation: 'flush', offset: 0, length: 0, buffer: null, done });
  }

  close(done: Done): void {
    this.#run(() => {
      done(null);
    });
  }

  /** Completes the order; with a code it fails and changes nothing. */
  complete(order: DiskOrder, code: string | null = null): void {
    const at = this.orders.indexOf(order);
    if (at === -1) throw new Error('completed twice');
    this.orders.splice(at, 1);
    if (code === null) this.#apply(order);
    this.completed(order, code);
    this.#run(() => {
      order.done(code === null ? null : portError(code, `${order.operation} failed`));
    });
  }

  /** Completes everything, whatever it brings about included. */
  completeAll(): void {
    for (let order = this.orders[0]; order !== undefined; order = this.orders[0]) this.complete(order);
  }

  #apply({ operation, offset, length, buffer }: DiskOrder): void {
    if (operation === 'read') buffer?.set(this.bytes.subarray(offset, offset + length));
    else if (operation === 'write' && buffer !== null) this.bytes.set(buffer, offset);
    else if (operation === 'delete') this.bytes.fill(0, offset, offset + length);
  }
}
