/**
 * Virtual time: a heap of events ordered by (time, sequence), each a synchronous callback. Nothing happens between
 * two events, so a run is a function of its seed, and a cancelled event neither runs nor moves the time.
 */
import { assert } from '../core/base/assert.js';

/** Lets an event that has not happened yet be taken back. */
export interface Scheduled {
  cancel(): void;
}

class Event implements Scheduled {
  readonly timeMs: number;
  readonly sequence: number;
  run: (() => void) | null;

  constructor(timeMs: number, sequence: number, run: () => void) {
    this.timeMs = timeMs;
    this.sequence = sequence;
    this.run = run;
  }

  cancel(): void {
    this.run = null;
  }
}

/** A run that has not come to rest after so many events is taken for a loop. */
const MAX_EVENTS = 10_000_000;

export class Scheduler {
  #nowMs = 0;
  #sequence = 0;
  readonly #heap: Event[] = [];

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs `run` once, `delayMs` from now, after everything that was scheduled for the same time before. */
  after(delayMs: number, run: () => void): Scheduled {
    assert(delayMs >= 0, 'an event cannot be in the past');
    const event = new Event(this.#nowMs + delayMs, this.#sequence++, run);
    this.#push(event);
    return event;
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const event = this.#next();
    if (event === null) return false;
    this.#pop();
    this.#nowMs = event.timeMs;
    const run = event.run;
    event.run = null;
    run?.();
    return true;
  }

  /** Runs until nothing is scheduled. For worlds without periodic timers: these never come to rest. */
  runUntilIdle(): void {
    let events = 0;
    while (this.step()) assert(++events < MAX_EVENTS, 'the world does not come to rest');
  }

  /** Runs what happens in the next `durationMs`; the time is then that much later. */
  runFor(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (let next = this.#next(); next !== null && next.timeMs <= endMs; next = this.#next()) this.step();
    this.#nowMs = endMs;
  }

  /** Runs until `condition` holds, at most `withinMs`; false when it did not come to hold. */
  runUntil(condition: () => boolean, withinMs: number): boolean {
    const endMs = this.#nowMs + withinMs;
    while (!condition()) {
      const next = this.#next();
      if (next === null || next.timeMs > endMs) return false;
      this.step();
    }
    return true;
  }

  /** The earliest event that was not cancelled. */
  #next(): Event | null {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.run !== null) return top;
      this.#pop();
    }
    return null;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      let child = heap[left];
      if (child === undefined) break;
      const right = heap[left + 1];
      const rightIsFirst = right !== undefined && isBefore(right, child);
      if (rightIsFirst) child = right;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = rightIsFirst ? left + 1 : left;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs !== b.timeMs ? a.timeMs < b.timeMs : a.sequence < b.sequence;
}
