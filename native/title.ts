/**
 * Process titles of workers (core/spec/cli.md section 10). Fail-over scripts look for exactly
 * `hastd: NAME (secondary)` with `pgrep -f`, so the title must be complete however long the name is. A title
 * may not outgrow the argument vector a process was started with, so a worker is started with the title as its
 * argv[0]; showing it then only has to clear the arguments that follow.
 */
import type { Role } from '../core/resource/types.js';

export function workerTitle(name: string, role: Role): string {
  return `hastd: ${name} (${role})`;
}

/** Makes the title that this process was started with all that is seen of its command line. */
export function showOnlyTitle(): void {
  // Elsewhere setproctitle(3) would put the program's name in front; there argv[0] has to do.
  if (process.platform === 'linux') process.title = process.argv0;
}
