/** What hastctl prints (core/spec/cli.md section 8): results to stdout, the log in the format of terminals. */
import type { Log } from '../../core/ports/log.js';
import { prefixedLog, ProcessLog, streamSink } from '../../native/log.js';
import type { TextStream } from '../../native/log.js';

export interface Streams {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

/** Results as they are, everything else through the log. */
export interface Output {
  print(text: string): void;
  readonly log: Log;
}

export function outputTo({ stdout, stderr }: Streams, debugLevel: number): Output {
  return {
    print: (text) => void stdout.write(text, 'latin1'),
    log: new ProcessLog(debugLevel, streamSink(stdout, stderr)),
  };
}

/** The log for what concerns one resource. */
export function resourceLog(log: Log, name: string): Log {
  return prefixedLog(log, `[${name}] `);
}
