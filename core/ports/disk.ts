import type { Done } from './error.js';

export interface DiskWrite {
  readonly offset: number;
  readonly source: Uint8Array;
}

/**
 * A local component: regular file or block/character device. Offsets and lengths are bytes and multiples of
 * `sectorSize`. Operations may run concurrently and complete in any order: whoever needs an order waits.
 * Never in the call that starts them; several completions may share a turn.
 * A buffer given to `read` or `write` belongs to the disk until `done`.
 * A short transfer is EIO. A range deleted successfully reads as zeros on files.
 */
export interface Disk {
  readonly mediaSize: number;
  readonly sectorSize: number;
  read(offset: number, target: Uint8Array, done: Done): void;
  write(offset: number, source: Uint8Array, done: Done): void;
  /**
   * Writes that do not overlap, at least one. `durably`: they are durable when it has succeeded, and nothing else needs to be;
   * EOPNOTSUPP: they are written, but the medium cannot make them durable. An error leaves each of them written or not.
   */
  writeAll(writes: readonly DiskWrite[], durably: boolean, done: Done): void;
  delete(offset: number, length: number, done: Done): void;
  /** Makes every write and delete that completed before this call durable. EOPNOTSUPP: the medium cannot. */
  flush(done: Done): void;
  close(done: Done): void;
}
