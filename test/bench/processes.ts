/** What processes have used, as the system counts it. */
import { readFileSync } from 'node:fs';

/** USER_HZ, which Linux shows to programs on every architecture that Node runs on. */
const TICK_MS = 10;

/** Milliseconds of processor time, of all threads together. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    // Behind the name, which may hold anything: state is the third field, utime and stime are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_MS;
}

/** Resident bytes of one process. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
