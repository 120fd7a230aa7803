import type { Log } from '../ports/log.js';

interface Described {
  readonly command: string;
  readonly offset: number;
  readonly length: number;
}

/** How messages name a request (core/spec/cli.md section 8): `WRITE(4096, 131072)`, bytes; `FLUSH`. */
export function describeRequest({ command, offset, length }: Described): string {
  const name = command.toUpperCase();
  return command === 'flush' ? name : `${name}(${String(offset)}, ${String(length)})`;
}

/** Every request that comes in is told at `debug2`, if anybody listens: the text costs more than the request's bookkeeping. */
export function logRequest(log: Log, request: Described): void {
  if (log.wants?.('debug2') !== false) log.write('debug2', `${describeRequest(request)}.`);
}
