/**
 * A process of a simulated machine, the smallest failure domain: it has its own turns, and everything the adapters
 * do on its behalf ends with it. Main daemon and workers are one process each. While it is stopped (SIGSTOP, a paused
 * virtual machine) the kernel goes on without it, and what it should have noticed waits for it, in order.
 */
import { Turns } from '../core/base/turns.js';

/** `killed`: by a signal or its own exit, the kernel cleans up. `power`: the machine went dark, nobody cleans up. */
export type Death = 'killed' | 'power';

export class SimProcess {
  readonly name: string;
  /** What it does at one time happens in order (sim/ties.ts). */
  readonly lane: number;
  readonly turns = new Turns();
  #alive = true;
  #pauses = 0;
  /** What happens when it goes on. */
  #waiting: (() => void)[] = [];
  readonly #mourners = new Set<(death: Death) => void>();

  constructor(name: string, lane = 0) {
    this.name = name;
    this.lane = lane;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#pauses > 0;
  }

  /** Runs `callback` as one turn, after its pause if there is one; a dead process does nothing. */
  run(callback: () => void): void {
    if (!this.#alive) return;
    if (this.#pauses === 0) this.turns.run(callback);
    else {
      this.#waiting.push(() => {
        this.turns.run(callback);
      });
    }
  }

  /** For adapters, whose own steps need the process, too: calls `action`, which may `run`, now or after the pause. */
  whenRunning(action: () => void): void {
    if (!this.#alive) return;
    if (this.#pauses === 0) action();
    else this.#waiting.push(action);
  }

  /** Stops the process until the result is called; pauses may overlap. */
  pause(): () => void {
    this.#pauses++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#pauses--;
      this.#goOn();
    };
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

  #goOn(): void {
    while (this.#pauses === 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  #die(death: Death): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#waiting = [];
    for (const mourn of [...this.#mourners]) mourn(death);
    this.#mourners.clear();
  }
}
