/** I2: every request is completed exactly once. */
import type { Bench, Checker } from './checker.js';

export function once({ report }: Bench): Checker {
  const done = new Set<number>();
  return {
    answered(request) {
      if (done.has(request.number))
        report(`a ${request.command} of block ${String(request.block)} was answered twice`);
      done.add(request.number);
    },
  };
}
