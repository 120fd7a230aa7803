const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
/** A worker that lived so long was healthy. */
const STABLE_MS = 60_000;

/** How long a primary's worker that died stays dead: 1 s as in the reference, doubled while it keeps dying. */
export class RestartBackoff {
  #nextDelayMs = FIRST_DELAY_MS;

  /** Milliseconds to wait after a worker that lived for `livedMs`. */
  delayAfter(livedMs: number): number {
    if (livedMs >= STABLE_MS) this.reset();
    const delayMs = this.#nextDelayMs;
    this.#nextDelayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
    return delayMs;
  }

  reset(): void {
    this.#nextDelayMs = FIRST_DELAY_MS;
  }
}
