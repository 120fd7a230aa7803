import type { Turns } from '../core/base/turns.js';
import type { Clock, Timer } from '../core/ports/clock.js';

/** Real monotonic time. Timers run inside a turn and do not keep the process alive by themselves. */
export class RealClock implements Clock {
  readonly #turns: Turns;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  now(): number {
    return performance.now();
  }

  after(delayMs: number, fire: () => void): Timer {
    const timeout = setTimeout(() => {
      this.#turns.run(fire);
    }, delayMs);
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  }
}
