/** How much transfers that are done inline (inline-transfers.ts) may keep everybody else waiting. */

/** A transfer that needs longer may have waited for something. */
export const QUICK_MS = 0.25;
/** So much waiting is accepted, and it is forgotten at this rate: 2 % of the time. */
const MAX_WAITING_MS = 10;
const FORGOTTEN_MS_PER_MS = 0.02;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Says whether transfers may be done inline, from what they took. Times are of a monotonic clock, in milliseconds. */
export class InlinePace {
  #waitingMs = 0;
  #sinceMs = 0;
  #barredUntilMs = 0;
  #pauseMs = FIRST_PAUSE_MS;

  allows(nowMs: number): boolean {
    return nowMs >= this.#barredUntilMs;
  }

  /** `waited`: the time went by because of the disk, not because the processor was somebody else's. */
  took(startedMs: number, endedMs: number, waited: boolean): void {
    const forgottenMs = (endedMs - this.#sinceMs) * FORGOTTEN_MS_PER_MS;
    this.#sinceMs = endedMs;
    this.#waitingMs = Math.max(0, this.#waitingMs - forgottenMs);
    const waitedMs = waited ? endedMs - startedMs - QUICK_MS : 0;
    if (waitedMs <= 0) {
      // It has been quick for long enough.
      if (endedMs - this.#barredUntilMs > LONGEST_PAUSE_MS) this.#pauseMs = FIRST_PAUSE_MS;
      return;
    }
    this.#waitingMs += waitedMs;
    if (this.#waitingMs <= MAX_WAITING_MS) return;
    this.#waitingMs = 0;
    this.#barredUntilMs = endedMs + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
