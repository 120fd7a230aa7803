import type { Log, LogLevel } from '../core/ports/log.js';

export interface LogLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** Collects what is logged. */
export class SimLog implements Log {
  readonly lines: LogLine[] = [];

  write(level: LogLevel, text: string): void {
    this.lines.push({ level, text });
  }
}
