/** Jobs that take time and must not overlap, such as the role commands of one resource: one after another, in order. */
export class SerialQueue {
  readonly #jobs: ((finished: () => void) => void)[] = [];
  #busy = false;

  /** Runs `job` now, or when all jobs added before have called their `finished`. */
  add(job: (finished: () => void) => void): void {
    this.#jobs.push(job);
    this.#advance();
  }

  #advance(): void {
    if (this.#busy) return;
    const job = this.#jobs.shift();
    if (job === undefined) return;
    this.#busy = true;
    let called = false;
    const finished = (): void => {
      if (called) return;
      called = true;
      this.#busy = false;
      this.#advance();
    };
    try {
      job(finished);
    } catch (bug) {
      // Whoever asked for this job loses his connection; the jobs behind it must not wait for ever.
      finished();
      throw bug;
    }
  }
}
