/** What hastctl prints (core/spec/cli.md section 8): results to stdout, the log in the format of terminals. */
import type { Log } from '../../core/ports/log.js';
import { prefixedLog, ProcessLog, terminalSink } from '../../native/log.js';

export function print(text: string): void {
  process.stdout.write(text, 'latin1');
}

export function terminalLog(debugLevel: number): Log {
  return new ProcessLog(debugLevel, terminalSink);
}

/** The log for what concerns one resource. */
export function resourceLog(log: Log, name: string): Log {
  return prefixedLog(log, `[${name}] `);
}
