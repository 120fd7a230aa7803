/** I2: every request is completed exactly once. */
import type { Bench, Checker, ClientRequest } from './checker.js';

export function once({ report }: Bench): Checker {
  const done = new Set<ClientRequest>();
  return {
    answered(request) {
      if (done.has(request))
        report(`a ${request.command} of block ${String(request.block)} was answered twice`);
      done.add(request);
    },
  };
}
