/**
 * Between a starting daemon and whoever waits for it. In the foreground that is the terminal. Otherwise Node, which
 * cannot fork, needs a launcher: it starts the daemon as a program of its own in a new session, shows the messages
 * that the daemon sends until it is ready, and exits with the status the daemon reports (core/spec/cli.md section 9).
 */
import { spawn } from 'node:child_process';
import type { LogLevel } from '../../core/ports/log.js';
import { terminalSink } from '../../native/log.js';
import type { LogSink } from '../../native/log.js';
import { EX_OK, EX_OSERR, EX_SOFTWARE } from '../exit-codes.js';

/** In the environment of a daemon that a launcher waits for; the daemon removes it. */
const LAUNCHED = 'HASTD_LAUNCHED';

type StartupMessage =
  | { readonly kind: 'log'; readonly level: LogLevel; readonly line: string }
  | { readonly kind: 'ready' }
  /** The exit status follows. */
  | { readonly kind: 'failed' };

/** Whoever waits for the daemon to be ready, as the daemon sees it. */
export interface Starter {
  /** Where messages go until the daemon is ready. */
  readonly sink: LogSink;
  /** Lets the launcher go, and the terminal with it. */
  ready(): void;
  /** Ends the process, once what was said has been heard. */
  end(exitCode: number): void;
}

/** Whether `launch` started this process; asked once, because programs that the daemon runs were not. */
export function isLaunched(): boolean {
  const marked = process.env[LAUNCHED] !== undefined && process.send !== undefined;
  Reflect.deleteProperty(process.env, LAUNCHED);
  return marked;
}

/** The starter of a foreground daemon: there is nothing to let go. */
export const TERMINAL: Starter = {
  sink: terminalSink,
  ready: () => undefined,
  end: (exitCode) => process.exit(exitCode),
};

/** The starter of a daemon that was launched. When the launcher goes before the daemon is ready, so does the daemon. */
export function launcherOf(): Starter {
  const tell = (message: StartupMessage, told = (): void => undefined): void => {
    if (process.connected) process.send?.(message, undefined, undefined, told);
    else told();
  };
  const abandoned = (): void => {
    process.kill(process.pid, 'SIGTERM');
  };
  process.once('disconnect', abandoned);
  if (!process.connected) abandoned();
  return {
    sink: (level, line) => {
      tell({ kind: 'log', level, line });
    },
    ready: () => {
      process.off('disconnect', abandoned);
      tell({ kind: 'ready' });
      if (process.connected) process.disconnect();
    },
    end: (exitCode) => {
      // Messages are sent in order: when the last is out, all are.
      tell({ kind: 'failed' }, () => process.exit(exitCode));
    },
  };
}

/** Starts the daemon with this process's own command line. The exit status for the launcher: it ends when told that. */
export function launch(): Promise<number> {
  const [, script = '', ...args] = process.argv;
  const daemon = spawn(process.execPath, [...process.execArgv, script, ...args], {
    argv0: process.argv0,
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [LAUNCHED]: '1' },
  });
  return new Promise((resolve) => {
    daemon.on('message', (message) => {
      const news = message as StartupMessage;
      if (news.kind === 'log') terminalSink(news.level, news.line);
      if (news.kind === 'ready') resolve(EX_OK);
    });
    // Comes after the last message.
    daemon.on('close', (code, signal) => {
      if (signal !== null) terminalSink('crit', `hastd was killed while starting (signal=${signal}).`);
      resolve(code ?? EX_SOFTWARE);
    });
    daemon.on('error', (error) => {
      terminalSink('error', `Unable to daemonize: ${error.message}.`);
      resolve(EX_OSERR);
    });
  });
}
