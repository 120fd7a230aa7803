/** Monotonic time (W24): setting the wall clock has no effect on anything in the core. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Calls `fire` once, `delayMs` from now or a little later. */
  after(delayMs: number, fire: () => void): Timer;
}

export interface Timer {
  /** After this returns `fire` is not called. Harmless when it already was. */
  cancel(): void;
}
