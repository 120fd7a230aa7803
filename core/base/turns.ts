import { assert } from './assert.js';

/**
 * A turn is one adapter callback into the core and everything it causes synchronously. What is collected
 * in a turn (messages, disk operations, one map flush for all newly dirty extents) is handed over once,
 * when the turn ends: wake-ups and system calls are what costs, not JavaScript.
 *
 * Every adapter calls the core through `run`; a nested call means that a port completed inside the call
 * that started it, which is a bug.
 */
export class Turns {
  #running = false;
  #ending: (() => void)[] = [];

  /** Is a turn going on? */
  get running(): boolean {
    return this.#running;
  }

  /** Runs `callback` as one turn, then everything registered with `atEnd`, in order. */
  run(callback: () => void): void {
    assert(!this.#running, 'a port completed inside the call that started it');
    this.#running = true;
    try {
      callback();
      // What ends a turn may register more for the same end.
      while (this.#ending.length > 0) this.#ending.shift()?.();
    } finally {
      this.#running = false;
    }
  }

  /** Calls `handOver` once when the current turn ends; outside a turn it is called with the next one. */
  atEnd(handOver: () => void): void {
    this.#ending.push(handOver);
  }
}
