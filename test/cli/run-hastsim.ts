/** hastsim's commands, run inside the test. */
import { EventEmitter } from 'node:events';
import { hastsim } from '../../cli/hastsim/main.js';
import { Terminal } from '../../cli/hastsim/terminal.js';
import type { Streams } from '../../cli/hastsim/terminal.js';

export interface Ending {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Does `work` on a terminal of its own. */
export async function onTerminal(
  work: (terminal: Terminal) => Promise<void>,
  signals = new EventEmitter(),
): Promise<Ending> {
  return collected(async (streams) => {
    const terminal = new Terminal(streams, signals);
    await work(terminal);
    return terminal.exitCode;
  });
}

/** Runs `hastsim ARGV`. */
export function runHastsim(...argv: readonly string[]): Promise<Ending> {
  return collected((streams) => hastsim(argv, streams, new EventEmitter()));
}

async function collected(work: (streams: Streams) => Promise<number>): Promise<Ending> {
  let stdout = '';
  let stderr = '';
  const exit = await work({
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { exit, stdout, stderr };
}
