/**
 * Where messages of hastd end up (core/spec/cli.md section 8): a terminal, the launcher that waits for a starting
 * daemon, or syslog. Text is one character per byte (Latin-1), as everywhere in the core, so that the names
 * from hast.conf come out exactly as they were written.
 */
import type { Role } from '../core/resource/types.js';
import type { Log, LogLevel } from '../core/ports/log.js';

/** Takes one finished line; filtering, cutting and cleaning are done. */
export type LogSink = (level: LogLevel, line: string) => void;

const LINE_LIMIT = 1023;
const PREFIX_LIMIT = 127;

const TAGS: Readonly<Record<LogLevel, string>> = {
  crit: '[CRIT] ',
  error: '[ERROR] ',
  warning: '[WARNING] ',
  notice: '[NOTICE] ',
  info: '[INFO] ',
  debug1: '[DEBUG][1] ',
  debug2: '[DEBUG][2] ',
};

const TO_STDERR: ReadonlySet<LogLevel> = new Set<LogLevel>(['crit', 'error', 'warning']);

/** The log of one process: drops debug messages above the level of `-d` and hands the rest to its sink. */
export class ProcessLog implements Log {
  readonly #debugLevel: number;
  #sink: LogSink;

  constructor(debugLevel: number, sink: LogSink) {
    this.#debugLevel = debugLevel;
    this.#sink = sink;
  }

  write(level: LogLevel, text: string): void {
    if (this.wants(level)) this.#sink(level, withoutControls(text).slice(0, LINE_LIMIT));
  }

  wants(level: LogLevel): boolean {
    return detailOf(level) <= this.#debugLevel;
  }

  /** Sends everything from now on somewhere else: a daemon leaves its terminal. */
  redirect(sink: LogSink): void {
    this.#sink = sink;
  }
}

/** A log that puts `prefix`, cut at 127 bytes, in front of every text. */
export function prefixedLog(log: Log, prefix: string): Log {
  const start = prefix.slice(0, PREFIX_LIMIT);
  return {
    write: (level, text) => {
      log.write(level, start + text);
    },
    wants: (level) => log.wants?.(level) ?? true,
  };
}

/** What stands in front of everything that concerns one resource. */
export function resourcePrefix(name: string, role: Role): string {
  return `[${name}] (${role}) `;
}

/** Where terminal output goes: `process.stdout`, or whatever collects it. */
export interface TextStream {
  write(text: string, encoding: 'latin1'): unknown;
}

/** `[LEVEL] text`, warnings and worse to stderr, the rest to stdout. */
export function streamSink(stdout: TextStream, stderr: TextStream): LogSink {
  return (level, line) => {
    const stream = TO_STDERR.has(level) ? stderr : stdout;
    stream.write(`${TAGS[level]}${line}\n`, 'latin1');
  };
}

export const terminalSink: LogSink = (level, line) => {
  streamSink(process.stdout, process.stderr)(level, line);
};

/** A closed terminal or pipe must not end a daemon that logs to it. */
export function ignoreClosedTerminal(): void {
  const ignore = (): void => undefined;
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);
}

function detailOf(level: LogLevel): number {
  if (level === 'debug1') return 1;
  return level === 'debug2' ? 2 : 0;
}

/** Peers choose parts of what we log; they do not choose where a line ends or what a terminal does. */
function withoutControls(text: string): string {
  let clean = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    clean += (code < 0x20 && character !== '\t') || code === 0x7f ? ' ' : character;
  }
  return clean;
}
