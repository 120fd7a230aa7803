/**
 * A process of a simulated machine, the smallest failure domain: it has its own turns, and everything the adapters
 * do on its behalf ends with it. Main daemon and workers are one process each.
 */
import { Turns } from '../core/base/turns.js';

/** `killed`: by a signal or its own exit, the kernel cleans up. `power`: the machine went dark, nobody cleans up. */
export type Death = 'killed' | 'power';

export class SimProcess {
  readonly name: string;
  readonly turns = new Turns();
  #alive = true;
  readonly #mourners = new Set<(death: Death) => void>();

  constructor(name: string) {
    this.name = name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Runs `callback` as one turn; a dead process does nothing. */
  run(callback: () => void): void {
    if (this.#alive) this.turns.run(callback);
  }

  /** Calls `mourn` when the process dies; the result takes that back. */
  onDeath(mourn: (death: Death) => void): () => void {
    this.#mourners.add(mourn);
    return () => {
      this.#mourners.delete(mourn);
    };
  }

  /** Ends the process at once: no timer fires, no operation completes, its sockets are closed by the kernel. */
  kill(): void {
    this.#die('killed');
  }

  /** Ends the process with its machine: its peers see silence. */
  losePower(): void {
    this.#die('power');
  }

  #die(death: Death): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const mourn of [...this.#mourners]) mourn(death);
    this.#mourners.clear();
  }
}
