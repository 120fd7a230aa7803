/**
 * syslog for the daemons (core/spec/cli.md section 8): facility daemon, with the process id, debug messages at debug
 * priority. Without the addon logger(1) passes the lines on.
 */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { LogLevel } from '../core/ports/log.js';
import type { Addon } from './addon.js';
import type { LogSink } from './log.js';

const LOG_DAEMON = 3 << 3;

/** Numbers of syslog.h, and the names that logger(1) takes. */
const PRIORITIES: Readonly<Record<LogLevel, { readonly number: number; readonly name: string }>> = {
  crit: { number: 2, name: 'crit' },
  error: { number: 3, name: 'err' },
  warning: { number: 4, name: 'warning' },
  notice: { number: 5, name: 'notice' },
  info: { number: 6, name: 'info' },
  debug1: { number: 7, name: 'debug' },
  debug2: { number: 7, name: 'debug' },
};

/** Opens the system log as `ident`; lines go there until the process ends. */
export function openSyslog(ident: string, addon: Addon | null): LogSink {
  if (addon === null) return loggerSink(ident);
  addon.openlog(ident, LOG_DAEMON);
  return (level, line) => {
    addon.syslog(LOG_DAEMON | PRIORITIES[level].number, line);
  };
}

/** One logger(1) for each priority in use, started with the first line; it ends with this process. */
function loggerSink(ident: string): LogSink {
  const loggers = new Map<string, Writable>();
  return (level, line) => {
    const { name } = PRIORITIES[level];
    let logger = loggers.get(name);
    if (logger === undefined || logger.destroyed) {
      logger = startLogger(ident, name);
      loggers.set(name, logger);
    }
    logger.write(`${line}\n`, 'latin1');
  };
}

function startLogger(ident: string, priority: string): Writable {
  const args = ['-t', `${ident}[${process.pid}]`, '-p', `daemon.${priority}`];
  const child = spawn('logger', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  // There is nowhere to say that the log is gone.
  child.on('error', () => child.stdin.destroy());
  child.stdin.on('error', () => undefined);
  return child.stdin;
}
