import type { Done, PortError } from '../ports/error.js';

/** To be called when each of `count` operations has ended; `done` hears of the first failure, if there was one, after the last. */
export function afterAll(count: number, done: Done): Done {
  let left = count;
  let failure: PortError | null = null;
  return (error) => {
    failure ??= error;
    left--;
    if (left === 0) done(failure);
  };
}
