import { constants } from 'node:os';

/** The number that logs show for a signal that ended a process (core/spec/cli.md section 8). */
export function signalNumber(name: string): number {
  return Object.entries(constants.signals).find(([known]) => known === name)?.[1] ?? 0;
}
