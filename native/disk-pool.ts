/**
 * Threads for disk operations that may wait for the medium: the addon's, which are this disk's alone and tell of everything that
 * has ended in one turn; without it Node's, which are few, and tell of each operation by itself.
 */
import * as fs from 'node:fs';
import { assert } from '../core/base/assert.js';
import type { Turns } from '../core/base/turns.js';
import type { PortError } from '../core/ports/error.js';
import { errnoError, POOL_KINDS, type Addon, type DiskPool as AddonPool } from './addon.js';
import { portErrorOf } from './errors.js';

/** Operations that a device is given at once: the queue of most disks, and enough of that of a solid-state disk. */
export const DEVICE_THREADS = 16;
/** Writes to one file take turns in the filesystem: more threads would wait for each other, busily. */
export const FILE_THREADS = 4;
/** Outcomes taken at once. */
const MAX_TAKEN = 64;
const NOTHING = new Uint8Array(0);

interface PoolOperation {
  readonly kind: (typeof POOL_KINDS)[number];
  readonly fd: number;
  /** `sync`: not used. */
  readonly offset: number;
  readonly buffer: Uint8Array;
  /** Called in a turn. `bytes`: how many were transferred. */
  readonly ended: (error: PortError | null, bytes: number) => void;
}

export interface DiskPool {
  add(operation: PoolOperation): void;
  /** Nothing is under way any more. */
  close(): void;
}

/** `threads` at most; without the addon there are as many as Node has. */
export function newDiskPool(turns: Turns, addon: Addon | null, threads: number): DiskPool {
  return addon === null ? new NodeDiskPool(turns) : new AddonDiskPool(turns, addon, threads);
}

/** Of `fdatasync`, which transfers nothing. */
export const NO_TRANSFER = { offset: 0, buffer: NOTHING };

class NodeDiskPool implements DiskPool {
  readonly #turns: Turns;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  add({ kind, fd, offset, buffer, ended }: PoolOperation): void {
    const finish = (error: Error | null, bytes = 0): void => {
      this.#turns.run(() => {
        ended(error === null ? null : portErrorOf(error), bytes);
      });
    };
    if (kind === 'read') fs.read(fd, buffer, 0, buffer.length, offset, finish);
    else if (kind === 'write') fs.write(fd, buffer, 0, buffer.length, offset, finish);
    else fs.fdatasync(fd, finish);
  }

  close(): void {
    // The threads are everybody's.
  }
}

class AddonDiskPool implements DiskPool {
  readonly #turns: Turns;
  readonly #outcomes = new Float64Array(MAX_TAKEN * 2);
  readonly #pool: AddonPool;
  /** Under way, by number; the numbers of those that have ended are used again. */
  readonly #operations: (PoolOperation | null)[] = [];
  readonly #free: number[] = [];

  constructor(turns: Turns, addon: Addon, threads: number) {
    this.#turns = turns;
    this.#pool = new addon.DiskPool({ threads, outcomes: this.#outcomes, wake: this.#wake });
  }

  add(operation: PoolOperation): void {
    const id = this.#free.pop() ?? this.#operations.length;
    this.#operations[id] = operation;
    this.#pool.add(id, POOL_KINDS.indexOf(operation.kind), operation.fd, operation.buffer, operation.offset);
  }

  close(): void {
    this.#pool.close();
  }

  readonly #wake = (): void => {
    for (let count = this.#pool.take(); count > 0; count = this.#pool.take()) {
      const ended = this.#takeOver(count);
      this.#turns.run(() => {
        for (const [operation, result] of ended) {
          operation.ended(errnoError(Math.max(0, -result)), Math.max(0, result));
        }
      });
    }
  };

  /** What the next `take` would overwrite. */
  #takeOver(count: number): [PoolOperation, number][] {
    const ended: [PoolOperation, number][] = [];
    for (let i = 0; i < count; i++) {
      const id = this.#outcomes[i * 2] ?? 0;
      const operation = this.#operations[id] ?? null;
      assert(operation !== null, 'an operation ends once');
      this.#operations[id] = null;
      this.#free.push(id);
      ended.push([operation, this.#outcomes[i * 2 + 1] ?? 0]);
    }
    return ended;
  }
}
