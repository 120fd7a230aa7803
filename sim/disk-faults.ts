/**
 * What is wrong with a medium right now (core/spec/faults.md sections 1 and 3). Every fault has its own removal, so
 * that one can end while others last. Operations ask when they complete, delays when they start.
 */

export type DiskOperation = 'read' | 'write' | 'delete' | 'flush';

/** Bytes; by default the whole medium. Flushes have no range: they are always touched. */
interface DiskRange {
  readonly offset?: number;
  readonly length?: number;
}

/** Makes operations of one kind that touch a range fail: the next one, the next so many, or all. */
export interface DiskFault extends DiskRange {
  readonly operation: DiskOperation;
  readonly code: 'EIO' | 'ENOSPC' | 'EOPNOTSUPP';
  readonly times: 'once' | 'always' | number;
  /** What is written there can be read again, as with a bad sector. */
  readonly untilWritten?: boolean;
}

/** Makes operations of one kind that touch a range take longer. */
export interface DiskDelay extends DiskRange {
  readonly operation: DiskOperation;
  readonly delayMs: number;
}

/** The next write that touches a range lands at `to` instead, and says that all is well. */
export interface Misdirection extends DiskRange {
  /** Bytes, multiple of the sector size. */
  readonly to: number;
}

interface Failure {
  /** As injected; of `fault` a part may be left. */
  readonly injected: DiskFault;
  readonly fault: DiskFault;
  left: number;
}

export class DiskFaults {
  readonly #mediaSize: number;
  readonly #failures: Failure[] = [];
  readonly #delays: DiskDelay[] = [];
  readonly #misdirections: Misdirection[] = [];
  readonly #sizes: number[] = [];
  #lies = 0;
  #sticks = 0;
  /** Operations that cannot complete. */
  #stuck: (() => void)[] = [];

  constructor(mediaSize: number) {
    this.#mediaSize = mediaSize;
  }

  /** Bytes: how large the medium appears to be. */
  get mediaSize(): number {
    return this.#sizes.reduce((least, size) => Math.min(least, size), this.#mediaSize);
  }

  get isShort(): boolean {
    return this.#sizes.length > 0;
  }

  /** Something is wrong, whatever it is. */
  get any(): boolean {
    const lists =
      this.#failures.length + this.#delays.length + this.#misdirections.length + this.#sizes.length;
    return lists > 0 || this.#lies > 0 || this.#sticks > 0;
  }

  /** Flushes say that all is well and do nothing. */
  get lies(): boolean {
    return this.#lies > 0;
  }

  /** Nothing completes. */
  get isStuck(): boolean {
    return this.#sticks > 0;
  }

  fail(fault: DiskFault): () => void {
    const left = fault.times === 'once' ? 1 : fault.times === 'always' ? Infinity : fault.times;
    this.#failures.push({ injected: fault, fault, left });
    return once(() => {
      for (const failure of this.#failures.filter(({ injected }) => injected === fault)) {
        remove(this.#failures, failure);
      }
    });
  }

  delay(delay: DiskDelay): () => void {
    return added(this.#delays, delay);
  }

  misdirect(misdirection: Misdirection): () => void {
    return added(this.#misdirections, misdirection);
  }

  shrink(mediaSize: number): () => void {
    return added(this.#sizes, mediaSize);
  }

  lie(): () => void {
    this.#lies++;
    return once(() => {
      if (this.#lies > 0) this.#lies--;
    });
  }

  stick(): () => void {
    this.#sticks++;
    return once(() => {
      if (this.#sticks > 0 && --this.#sticks === 0) this.#unstick();
    });
  }

  /** Calls `goOn` when the medium is no longer stuck. */
  park(goOn: () => void): void {
    this.#stuck.push(goOn);
  }

  removeAll(): void {
    for (const list of [this.#failures, this.#delays, this.#misdirections, this.#sizes]) list.length = 0;
    this.#lies = 0;
    this.#sticks = 0;
    this.#unstick();
  }

  /** Milliseconds on top of what an operation takes anyway. */
  delayMsOf(operation: DiskOperation, offset: number, length: number): number {
    let sumMs = 0;
    for (const delay of this.#delays) {
      if (delay.operation === operation && touches(delay, offset, length)) sumMs += delay.delayMs;
    }
    return sumMs;
  }

  /** The fault that strikes this operation, if any. */
  strike(operation: DiskOperation, offset: number, length: number): DiskFault | null {
    for (const failure of this.#failures) {
      const { fault } = failure;
      if (fault.operation !== operation) continue;
      if (operation !== 'flush' && !touches(fault, offset, length)) continue;
      if (--failure.left <= 0) remove(this.#failures, failure);
      return fault;
    }
    return null;
  }

  /** A write, or a part of one, has taken place. */
  written(offset: number, length: number): void {
    if (this.#failures.length === 0) return;
    for (const failure of this.#failures.filter(({ fault }) => fault.untilWritten === true)) {
      const { injected, fault, left } = failure;
      if (!touches(fault, offset, length)) continue;
      remove(this.#failures, failure);
      const start = fault.offset ?? 0;
      const end = start + (fault.length ?? this.#mediaSize - start);
      for (const [from, to] of [
        [start, offset],
        [offset + length, end],
      ] as const) {
        if (from >= to) continue;
        this.#failures.push({ injected, fault: { ...fault, offset: from, length: to - from }, left });
      }
    }
  }

  /** Where this write lands. */
  placeOf(offset: number, length: number): number {
    if (this.#misdirections.length === 0) return offset;
    const misdirection = this.#misdirections.find((each) => touches(each, offset, length));
    if (misdirection === undefined) return offset;
    remove(this.#misdirections, misdirection);
    return Math.min(misdirection.to, this.mediaSize - length);
  }

  #unstick(): void {
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const goOn of stuck) goOn();
  }
}

function touches(range: DiskRange, offset: number, length: number): boolean {
  const start = range.offset ?? 0;
  const end = start + (range.length ?? Infinity);
  return offset < end && offset + Math.max(length, 1) > start;
}

/** Adds `item`; the result removes it. */
function added<T>(items: T[], item: T): () => void {
  items.push(item);
  return once(() => {
    remove(items, item);
  });
}

function remove<T>(items: T[], item: T): void {
  const index = items.indexOf(item);
  if (index !== -1) items.splice(index, 1);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
