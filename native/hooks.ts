/**
 * The `exec` program of hast.conf (core/spec/integration.md section 1): run by the main daemon directly, without a
 * shell, never waited for and never killed. A slow one is reported each minute.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../core/ports/clock.js';
import type { Hooks } from '../core/ports/hooks.js';
import type { Log } from '../core/ports/log.js';
import { portErrorOf } from './errors.js';
import { signalNumber } from './signals.js';

const COMMAND_LIMIT = 1023;
const CHECK_MS = 5_000;
const REPORT_SECONDS = 60;
const FORK_ERRORS = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

export interface HooksOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Foreground daemons let their hooks write to the terminal; others give them /dev/null. */
  readonly foreground: boolean;
}

interface RunningHook {
  readonly pid: number;
  readonly command: string;
  readonly startedMs: number;
  nextReportSeconds: number;
}

export class ProgramHooks implements Hooks {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #foreground: boolean;
  readonly #running = new Set<RunningHook>();
  #check: Timer | null = null;

  constructor({ clock, log, foreground }: HooksOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#foreground = foreground;
  }

  run(path: string, args: readonly string[]): void {
    const command = [path, ...args].join(' ');
    if (command.length >= COMMAND_LIMIT) {
      this.#log.write('error', 'Exec path too long, correct configuration file.');
      return;
    }
    let child: ChildProcess;
    try {
      // Environment and working directory are the daemon's own; no other descriptor is inherited.
      child = spawn(path, args, { stdio: this.#foreground ? 'inherit' : 'ignore' });
    } catch (error) {
      this.#notRun(path, error);
      return;
    }
    // A program that could not be executed has no process id: `error` follows, `exit` does not.
    child.once('error', (error) => {
      this.#notRun(path, error);
    });
    if (child.pid !== undefined) this.#watch(child, child.pid, command);
  }

  #notRun(path: string, error: unknown): void {
    const { code, message } = portErrorOf(error);
    const attempt = FORK_ERRORS.has(code) ? 'fork to execute' : 'execute';
    this.#log.write('error', `Unable to ${attempt} ${path}: ${message}.`);
  }

  #watch(child: ChildProcess, pid: number, command: string): void {
    const hook: RunningHook = {
      pid,
      command,
      startedMs: this.#clock.now(),
      nextReportSeconds: REPORT_SECONDS,
    };
    this.#running.add(hook);
    this.#checkLater();
    child.once('exit', (code, signal) => {
      this.#running.delete(hook);
      this.#ended(hook, code, signal);
    });
    child.unref();
  }

  #ended(hook: RunningHook, code: number | null, signal: NodeJS.Signals | null): void {
    const where = `pid=${String(hook.pid)}`;
    if (signal !== null) {
      const number = String(signalNumber(signal));
      this.#log.write('error', `Hook was killed (${where}, signal=${number}, cmd=[${hook.command}]).`);
    } else if (code === 0) {
      this.#log.write('debug1', `Hook exited gracefully (${where}, cmd=[${hook.command}]).`);
    } else {
      const exit = `exitcode=${String(code)}`;
      this.#log.write('error', `Hook exited ungracefully (${where}, ${exit}, cmd=[${hook.command}]).`);
    }
  }

  #checkLater(): void {
    if (this.#check !== null || this.#running.size === 0) return;
    this.#check = this.#clock.after(CHECK_MS, () => {
      this.#check = null;
      this.#reportSlow();
      this.#checkLater();
    });
  }

  #reportSlow(): void {
    for (const hook of this.#running) {
      const seconds = Math.floor((this.#clock.now() - hook.startedMs) / 1000);
      if (seconds < hook.nextReportSeconds) continue;
      hook.nextReportSeconds = (Math.floor(seconds / REPORT_SECONDS) + 1) * REPORT_SECONDS;
      this.#log.write(
        'warning',
        `Hook is running for ${String(seconds)} seconds (pid=${String(hook.pid)}, cmd=[${hook.command}]).`,
      );
    }
  }
}
