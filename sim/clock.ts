import type { Clock, Timer } from '../core/ports/clock.js';
import type { EventHandler } from './event-heap.js';
import type { SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** Virtual time as one process sees it: its timers die with it, and wait while it is stopped; the time does not. */
export class SimClock implements Clock {
  readonly #scheduler: Scheduler;
  readonly #owner: SimProcess;

  constructor(scheduler: Scheduler, owner: SimProcess) {
    this.#scheduler = scheduler;
    this.#owner = owner;
  }

  now(): number {
    return this.#scheduler.nowMs;
  }

  after(delayMs: number, fire: () => void): Timer {
    return new SimTimer(this.#scheduler, this.#owner, delayMs, fire);
  }
}

class SimTimer implements Timer, EventHandler {
  readonly #scheduler: Scheduler;
  readonly #owner: SimProcess;
  readonly #ticket: number;
  #fire: (() => void) | null;

  constructor(scheduler: Scheduler, owner: SimProcess, delayMs: number, fire: () => void) {
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#fire = fire;
    this.#ticket = scheduler.schedule(delayMs, this, 0, owner.lane);
  }

  happen(): void {
    // A process that was stopped may cancel the timer before it gets to it.
    this.#owner.run(() => this.#fire?.());
  }

  cancel(): void {
    this.#fire = null;
    this.#scheduler.cancel(this.#ticket);
  }
}
