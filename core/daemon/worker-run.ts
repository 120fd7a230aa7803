/**
 * One worker from start to exit: the daemon's end of it. Stopping is bounded: a worker that does not come to its
 * end in time is killed, so that no command waits for ever (core/spec/control.md section 4, weakness).
 */
import type { Clock, Timer } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { DetachedSocket } from '../ports/network.js';
import type { Assignment, Worker, Workers } from '../ports/workers.js';
import type { ResourceConfig } from '../config/types.js';
import type { ResourceEvent, WorkerStatus } from '../resource/types.js';

export type WorkerEnd = { readonly code: number } | { readonly signal: string };

export interface WorkerOwner {
  event(event: ResourceEvent): void;
  exported(provider: string): void;
  /** The worker is gone; called before the `gone` of `stop`. */
  ended(run: WorkerRun, end: WorkerEnd): void;
  log(): Log;
}

/** The numbers that logs show, where they are the same on all systems. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

export class WorkerRun {
  readonly role: Assignment['role'];
  readonly #clock: Clock;
  readonly #owner: WorkerOwner;
  readonly #worker: Worker;
  readonly #startedMs: number;
  readonly #gone: (() => void)[] = [];
  #stopping = false;
  #killed = false;
  #ended = false;
  #killTimers: Timer[] = [];

  constructor(clock: Clock, workers: Workers, assignment: Assignment, owner: WorkerOwner) {
    this.role = assignment.role;
    this.#clock = clock;
    this.#owner = owner;
    this.#startedMs = clock.now();
    this.#worker = workers.start(assignment, {
      event: (event) => {
        if (!this.#ended) owner.event(event);
      },
      exported: (provider) => {
        if (!this.#ended && !this.#stopping) owner.exported(provider);
      },
      exited: (code, signal) => {
        this.#exited(signal === null ? { code: code ?? 0 } : { signal });
      },
    });
  }

  /** 0 while it is not known. */
  get pid(): number {
    return this.#worker.pid;
  }

  /** True from `stop` on: the end of the worker was asked for. */
  get stopping(): boolean {
    return this.#stopping;
  }

  get livedMs(): number {
    return this.#clock.now() - this.#startedMs;
  }

  status(done: (error: string | null, status: WorkerStatus | null) => void): void {
    this.#worker.status(done);
  }

  reload(resource: ResourceConfig): void {
    this.#worker.reload(resource);
  }

  attach(client: DetachedSocket): void {
    this.#worker.attach(client);
  }

  /** Orderly end, or a kill when it takes more than `limitMs`; `gone` after the exit. May be asked more than once. */
  stop(limitMs: number, gone: () => void): void {
    this.#gone.push(gone);
    this.#killTimers.push(
      this.#clock.after(limitMs, () => {
        this.#kill(limitMs);
      }),
    );
    if (this.#stopping) return;
    this.#stopping = true;
    this.#worker.stop();
  }

  #kill(limitMs: number): void {
    if (this.#killed) return;
    this.#killed = true;
    const seconds = limitMs / 1000;
    this.#owner
      .log()
      .write('warning', `Worker process ${this.pid} did not stop within ${seconds}s, killing it.`);
    this.#worker.kill();
  }

  #exited(end: WorkerEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const timer of this.#killTimers) timer.cancel();
    this.#killTimers = [];
    this.#logEnd(end);
    this.#owner.ended(this, end);
    for (const gone of this.#gone) gone();
  }

  /** The lines of core/spec/cli.md section 8. */
  #logEnd(end: WorkerEnd): void {
    const log = this.#owner.log();
    const orderly = 'code' in end && end.code === 0;
    if (this.#stopping && (orderly || this.#killed)) {
      log.write('debug1', `Worker process ${this.pid} stopped.`);
    } else if (orderly) {
      log.write('debug1', `Worker process exited gracefully (pid=${this.pid}).`);
    } else if ('code' in end) {
      log.write('error', `Worker process exited ungracefully (pid=${this.pid}, exitcode=${end.code}).`);
    } else {
      const signal = SIGNALS[end.signal] ?? end.signal;
      log.write('error', `Worker process killed (pid=${this.pid}, signal=${signal}).`);
    }
  }
}
