/**
 * Transfers that are done where they are asked for: the page cache takes or gives a few KiB in microseconds, and handing
 * that to another thread costs ten times as much. All transfers of a turn are done right after it, in their order, and told
 * together, as one turn. What the page cache does not have, or has no room for, takes the time of a disk, in which this
 * process does nothing else; so the time is watched, and slow transfers are left to the thread pool for a while.
 */
import { readSync, statfsSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { assert } from '../core/base/assert.js';
import type { Turns } from '../core/base/turns.js';
import { portError, type Done, type PortError } from '../core/ports/error.js';
import { errnoError, type Addon } from './addon.js';
import { portErrorOf } from './errors.js';
import { InlinePace, QUICK_MS } from './inline-pace.js';

/** What may be done inline in a filesystem: nothing that could wait for a disk, or a network, without an end. */
export interface InlinePolicy {
  /** `cached`: what is in the page cache, if the system can say so. */
  readonly reads: 'all' | 'cached' | 'none';
  readonly writes: boolean;
}

const NOTHING_INLINE: InlinePolicy = { reads: 'none', writes: false };
const IN_MEMORY: InlinePolicy = { reads: 'all', writes: true };
/** A read may find nothing in the page cache and wait for the disk; a write goes into it. */
const ON_DISK: InlinePolicy = { reads: 'cached', writes: true };

/** By `f_type` of statfs(2) on Linux. Network filesystems and those that a process serves are not here. */
const POLICIES: ReadonlyMap<number, InlinePolicy> = new Map([
  [0x01021994, IN_MEMORY], // tmpfs
  [0x858458f6, IN_MEMORY], // ramfs
  [0xef53, ON_DISK], // ext2, ext3, ext4
  [0x58465342, ON_DISK], // XFS
  [0x9123683e, ON_DISK], // Btrfs
]);

/** For block and character devices: Linux has a page cache for them, too; FreeBSD has none. */
export const DEVICE_POLICY = process.platform === 'linux' ? ON_DISK : NOTHING_INLINE;

/** For the file at `path`. Elsewhere the numbers are not the same on all machines: nothing is done inline. */
export function inlinePolicy(path: Buffer): InlinePolicy {
  if (process.platform !== 'linux') return NOTHING_INLINE;
  try {
    return POLICIES.get(statfsSync(path).type) ?? NOTHING_INLINE;
  } catch {
    return NOTHING_INLINE;
  }
}

export interface Transfer {
  readonly kind: 'read' | 'write';
  readonly offset: number;
  readonly buffer: Uint8Array;
  readonly done: Done;
}

/** The disk that they belong to. */
export interface TransferOwner {
  /** Does one in the thread pool, and tells of it. */
  inPool(transfer: Transfer): void;
  /** So many were done and told inline. */
  ended(count: number): void;
}

/** After a transfer that took long. */
const WATCHED_MS = 60_000;

/** What is not in the page cache, or what the system cannot tell about. */
const LATER = 'later';
type Outcome = PortError | null | typeof LATER;

export class InlineTransfers {
  readonly #fd: number;
  readonly #turns: Turns;
  readonly #addon: Addon | null;
  readonly #policy: InlinePolicy;
  readonly #owner: TransferOwner;
  readonly #pace = new InlinePace();
  #tellsCached: boolean;
  /** How often this thread had waited for something when that was asked last. */
  #waits = 0;
  #watchedUntilMs = 0;
  #waiting: Transfer[] = [];

  constructor(fd: number, turns: Turns, addon: Addon | null, policy: InlinePolicy, owner: TransferOwner) {
    this.#fd = fd;
    this.#turns = turns;
    this.#addon = addon;
    this.#policy = policy;
    this.#owner = owner;
    this.#tellsCached = addon !== null;
  }

  /** `done` is called in a later turn. */
  add(transfer: Transfer): void {
    const { reads, writes } = this.#policy;
    const mayWait =
      transfer.kind === 'write' ? !writes : reads === 'none' || (reads === 'cached' && !this.#tellsCached);
    if (mayWait) this.#owner.inPool(transfer);
    else if (this.#waiting.push(transfer) === 1) process.nextTick(this.#transferAll);
  }

  readonly #transferAll = (): void => {
    assert(!this.#turns.running, 'transfers follow the turn that asks for them');
    const transfers = this.#waiting;
    this.#waiting = [];
    if (this.#isWatched(performance.now())) this.#waits = this.#addon?.waits() ?? 0;
    const outcomes = transfers.map((transfer) => this.#transferInTime(transfer));
    let told = 0;
    for (const [i, transfer] of transfers.entries()) {
      if (outcomes[i] === LATER) this.#owner.inPool(transfer);
      else told++;
    }
    if (told === 0) return;
    this.#turns.run(() => {
      for (const [i, transfer] of transfers.entries()) {
        const outcome = outcomes[i] ?? null;
        if (outcome !== LATER) transfer.done(outcome);
      }
    });
    this.#owner.ended(told);
  };

  #transferInTime(transfer: Transfer): Outcome {
    const startedMs = performance.now();
    if (!this.#pace.allows(startedMs)) return LATER;
    const outcome = this.#transfer(transfer);
    const endedMs = performance.now();
    this.#pace.took(startedMs, endedMs, endedMs - startedMs > QUICK_MS && this.#hasWaited(endedMs));
    return outcome;
  }

  /**
   * Has the thread waited in the transfer that took long? On a busy machine it may have had to give way to others instead.
   * Asking costs something, so that is known only if there was a long one not long ago.
   */
  #hasWaited(nowMs: number): boolean {
    if (this.#addon === null) return true;
    const waits = this.#addon.waits();
    const hasWaited = this.#isWatched(nowMs) && waits > this.#waits;
    this.#waits = waits;
    this.#watchedUntilMs = nowMs + WATCHED_MS;
    return hasWaited;
  }

  #isWatched(nowMs: number): boolean {
    return nowMs < this.#watchedUntilMs;
  }

  #transfer(transfer: Transfer): Outcome {
    const addon = this.#addon;
    if (addon === null) return transferOnNode(this.#fd, transfer);
    const { kind, offset, buffer } = transfer;
    if (kind === 'read' && this.#policy.reads === 'cached') return this.#readIfCached(addon, transfer);
    const bytes =
      kind === 'read' ? addon.read(this.#fd, buffer, offset) : addon.write(this.#fd, buffer, offset);
    return bytes < 0 ? errnoError(-bytes) : transferError(kind, bytes, buffer.length);
  }

  /** Whatever is not all there is read again where it may wait. */
  #readIfCached(addon: Addon, { offset, buffer }: Transfer): Outcome {
    const bytes = addon.readIfCached(this.#fd, buffer, offset);
    if (-bytes === constants.errno.EOPNOTSUPP) this.#tellsCached = false;
    return bytes === buffer.length ? null : LATER;
  }
}

function transferOnNode(fd: number, { kind, offset, buffer }: Transfer): PortError | null {
  try {
    const bytes =
      kind === 'read'
        ? readSync(fd, buffer, 0, buffer.length, offset)
        : writeSync(fd, buffer, 0, buffer.length, offset);
    return transferError(kind, bytes, buffer.length);
  } catch (error) {
    return portErrorOf(error);
  }
}

/** Null when everything was transferred. */
export function transferError(kind: 'read' | 'write', bytes: number, length: number): PortError | null {
  if (bytes === length) return null;
  const verb = kind === 'read' ? 'read' : 'written';
  return portError('EIO', `only ${String(bytes)} of ${String(length)} bytes were ${verb}`);
}
