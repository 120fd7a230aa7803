/**
 * Pending events in typed arrays: a binary heap by (time, order), each entry pointing at a slot that says what happens.
 * Slots are reused; a ticket names a slot and the sequence number that had it, so that a late cancel hits nobody else.
 */
import { assert } from '../core/base/assert.js';

/** What an event happens to. One object can have many events under way, told apart by their argument. */
export interface EventHandler {
  happen(argument: number): void;
}

/** Pending events at most; also what a ticket's slot is counted in. */
const MAX_SLOTS = 2 ** 20;
/** Fewer cancelled events than this are not worth tidying up. */
const FEW = 64;
const FIRST_CAPACITY = 256;

export class EventHeap {
  /** The heap, three parallel arrays. */
  #times = new Float64Array(FIRST_CAPACITY);
  #orders = new Float64Array(FIRST_CAPACITY);
  #slots = new Int32Array(FIRST_CAPACITY);
  #size = 0;
  /** The slots; a handler of null belongs to a cancelled event or to nobody. */
  readonly #handlers: (EventHandler | null)[] = [];
  #arguments = new Int32Array(FIRST_CAPACITY);
  #lanes = new Int32Array(FIRST_CAPACITY);
  /** Sequence number of the event in a slot; -1: free. */
  #sequences = new Float64Array(FIRST_CAPACITY).fill(-1);
  readonly #freeSlots: number[] = [];
  #cancelled = 0;

  /** The result is a ticket for `cancel`. */
  push(
    timeMs: number,
    order: number,
    sequence: number,
    handler: EventHandler,
    argument: number,
    lane: number,
  ): number {
    const slot = this.#freeSlots.pop() ?? this.#newSlot();
    this.#handlers[slot] = handler;
    this.#arguments[slot] = argument;
    this.#lanes[slot] = lane;
    this.#sequences[slot] = sequence;
    this.#siftUp(this.#size++, timeMs, order, slot);
    return sequence * MAX_SLOTS + slot;
  }

  /** Takes an event back; harmless when it has happened. */
  cancel(ticket: number): void {
    const slot = ticket % MAX_SLOTS;
    if (this.#sequences[slot] !== (ticket - slot) / MAX_SLOTS || this.#handlers[slot] === null) return;
    this.#handlers[slot] = null;
    if (++this.#cancelled > FEW && this.#cancelled * 2 > this.#size) this.#tidy();
  }

  /** Time of the earliest event that was not cancelled; Infinity when there is none. */
  nextTimeMs(): number {
    while (this.#size > 0) {
      const slot = this.#slots[0] ?? 0;
      if (this.#handlers[slot] !== null) return this.#times[0] ?? 0;
      this.#removeFirst();
      this.#cancelled--;
      this.free(slot);
    }
    return Infinity;
  }

  /** Removes the earliest event, which was not cancelled; its slot is to be freed. */
  takeFirst(): number {
    const slot = this.#slots[0] ?? 0;
    this.#removeFirst();
    return slot;
  }

  handlerOf(slot: number): EventHandler | null {
    return this.#handlers[slot] ?? null;
  }

  argumentOf(slot: number): number {
    return this.#arguments[slot] ?? 0;
  }

  laneOf(slot: number): number {
    return this.#lanes[slot] ?? 0;
  }

  sequenceOf(slot: number): number {
    return this.#sequences[slot] ?? 0;
  }

  free(slot: number): void {
    this.#handlers[slot] = null;
    this.#sequences[slot] = -1;
    this.#freeSlots.push(slot);
  }

  #newSlot(): number {
    const slot = this.#handlers.length;
    assert(slot < MAX_SLOTS, 'too many pending events');
    this.#handlers.push(null);
    if (slot < this.#sequences.length) return slot;
    const capacity = 2 * slot;
    this.#times = grown(this.#times, new Float64Array(capacity));
    this.#orders = grown(this.#orders, new Float64Array(capacity));
    this.#slots = grown(this.#slots, new Int32Array(capacity));
    this.#arguments = grown(this.#arguments, new Int32Array(capacity));
    this.#lanes = grown(this.#lanes, new Int32Array(capacity));
    this.#sequences = grown(this.#sequences, new Float64Array(capacity).fill(-1));
    return slot;
  }

  #removeFirst(): void {
    const last = --this.#size;
    if (last === 0) return;
    this.#siftDown(0, this.#times[last] ?? 0, this.#orders[last] ?? 0, this.#slots[last] ?? 0);
  }

  #siftUp(from: number, timeMs: number, order: number, slot: number): void {
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const parentMs = times[parent] ?? 0;
      if (parentMs < timeMs || (parentMs === timeMs && (orders[parent] ?? 0) < order)) break;
      times[index] = parentMs;
      orders[index] = orders[parent] ?? 0;
      slots[index] = slots[parent] ?? 0;
      index = parent;
    }
    times[index] = timeMs;
    orders[index] = order;
    slots[index] = slot;
  }

  #siftDown(from: number, timeMs: number, order: number, slot: number): void {
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    const size = this.#size;
    let index = from;
    for (let child = 2 * index + 1; child < size; child = 2 * index + 1) {
      let childMs = times[child] ?? 0;
      const right = child + 1;
      if (right < size) {
        const rightMs = times[right] ?? 0;
        if (rightMs < childMs || (rightMs === childMs && (orders[right] ?? 0) < (orders[child] ?? 0))) {
          child = right;
          childMs = rightMs;
        }
      }
      const childOrder = orders[child] ?? 0;
      if (timeMs < childMs || (timeMs === childMs && order < childOrder)) break;
      times[index] = childMs;
      orders[index] = childOrder;
      slots[index] = slots[child] ?? 0;
      index = child;
    }
    times[index] = timeMs;
    orders[index] = order;
    slots[index] = slot;
  }

  /** Throws the cancelled events out: timers that never fire must not fill the heap. */
  #tidy(): void {
    let kept = 0;
    for (let index = 0; index < this.#size; index++) {
      const slot = this.#slots[index] ?? 0;
      if (this.#handlers[slot] === null) {
        this.free(slot);
        continue;
      }
      this.#times[kept] = this.#times[index] ?? 0;
      this.#orders[kept] = this.#orders[index] ?? 0;
      this.#slots[kept++] = slot;
    }
    this.#size = kept;
    this.#cancelled = 0;
    for (let index = (kept >> 1) - 1; index >= 0; index--) {
      this.#siftDown(index, this.#times[index] ?? 0, this.#orders[index] ?? 0, this.#slots[index] ?? 0);
    }
  }
}

function grown<T extends Float64Array | Int32Array>(old: T, next: T): T {
  next.set(old);
  return next;
}
