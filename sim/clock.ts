import type { Clock, Timer } from '../core/ports/clock.js';
import type { SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** Virtual time as one process sees it: its timers die with it. */
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
    return this.#scheduler.after(delayMs, () => {
      this.#owner.run(fire);
    });
  }
}
