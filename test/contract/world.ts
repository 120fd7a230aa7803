/**
 * A contract suite runs on every adapter of a port. What differs between them is how time passes: virtual time is
 * drained, real completions are awaited.
 */
import { it } from 'vitest';
import type { Turns } from '../../core/base/turns.js';
import type { SimProcess } from '../../sim/process.js';
import type { Scheduler } from '../../sim/scheduler.js';

export interface World {
  /** Runs `callback` as one turn of the process under test. */
  run(callback: () => void): void;
  /** Lets the world go on until `condition` holds. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Lets everything happen that is going to happen. */
  settle(): Promise<void>;
}

export function simWorld(scheduler: Scheduler, process: SimProcess): World {
  return {
    run: (callback) => {
      process.run(callback);
    },
    until: (what, condition) => {
      if (!scheduler.runUntil(condition, 60_000)) throw new Error(`did not happen: ${what}`);
      return Promise.resolve();
    },
    settle: () => {
      scheduler.runUntilIdle();
      return Promise.resolve();
    },
  };
}

const REAL_LIMIT_MS = 10_000;
/** Rounds of the event loop in which nothing may be left to happen on this machine. */
const SETTLING_ROUNDS = 50;

export function realWorld(turns: Turns): World {
  return {
    run: (callback) => {
      turns.run(callback);
    },
    until: async (what, condition) => {
      const deadline = Date.now() + REAL_LIMIT_MS;
      while (!condition()) {
        if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
        await nextRound();
      }
    },
    settle: async () => {
      for (let i = 0; i < SETTLING_ROUNDS; i++) await nextRound();
    },
  };
}

function nextRound(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A test for adapters with a trait; for the others it is printed that it was not run. */
export function itWith(trait: string, has: boolean, name: string, test: () => Promise<void>): void {
  if (has) it(name, test);
  else console.log(`not run: ${name} (needs an adapter that ${trait})`);
}
