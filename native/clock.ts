import type { Turns } from '../core/base/turns.js';
import type { Clock, Timer } from '../core/ports/clock.js';

/** setTimeout takes anything longer for 1 ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Real monotonic time; timers fire as turns of their own. */
export class RealClock implements Clock {
  readonly #turns: Turns;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  now(): number {
    return performance.now();
  }

  after(delayMs: number, fire: () => void): Timer {
    const dueMs = this.now() + delayMs;
    let timeout: NodeJS.Timeout;
    const arm = (): void => {
      timeout = setTimeout(expire, Math.min(Math.ceil(dueMs - this.now()), MAX_TIMEOUT_MS));
    };
    // Node counts from when its event loop last looked at the time, so a timeout may come too early.
    const expire = (): void => {
      if (this.now() < dueMs) arm();
      else this.#turns.run(fire);
    };
    arm();
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  }
}
