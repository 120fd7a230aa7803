/**
 * Spreads work over threads. They take items from a shared counter, so nothing is sent to hand out work, and whoever is
 * quick does more. A thread that dies, or does not finish an item, is the failure of that item alone: another thread
 * takes its place and goes on.
 */
import { Worker } from 'node:worker_threads';
import { EX_SOFTWARE } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { IDLE, ITEMS, NEXT, STOP } from './pool-memory.js';
import type { ThreadData } from './pool-memory.js';

/** After a stop, items under way have this long. */
const GRACE_MS = 3_000;
const WATCH_MS = 250;

export interface PoolTask<Report> {
  /** A JobModule, and what its `open` is given. */
  readonly module: URL;
  readonly data: unknown;
  /** Items are 0 .. count-1. */
  readonly count: number;
  /** How many threads. */
  readonly jobs: number;
  /** An item that takes longer is a dead one. */
  readonly itemLimitMs: number;
  readonly onReport: (report: Report) => void;
  /** The thread ended in the middle of this item. */
  readonly onDeath: (item: number, why: string) => void;
}

interface Watched {
  readonly worker: Worker;
  readonly slot: number;
  item: number;
  /** When it was first seen at this item. */
  sinceMs: number;
  why: string | null;
}

export class Pool<Report> {
  readonly #task: PoolTask<Report>;
  readonly #memory: Int32Array;
  readonly #threads = new Set<Watched>();
  #finish: ((error: Error | null) => void) | null = null;
  #stopped = false;

  constructor(task: PoolTask<Report>) {
    this.#task = task;
    this.#memory = new Int32Array(
      new SharedArrayBuffer((ITEMS + task.jobs) * Int32Array.BYTES_PER_ELEMENT),
    ).fill(IDLE, ITEMS);
  }

  /** Resolves when every item is done, or after `stop`; rejects with a Failure when the work cannot begin. */
  async run(): Promise<void> {
    const watch = setInterval(() => {
      this.#watch();
    }, WATCH_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#finish = (error) => {
          if (error === null) resolve();
          else reject(error);
        };
        const threads = Math.min(this.#task.jobs, this.#task.count);
        for (let i = 0; i < threads; i++) this.#start(ITEMS + i);
        if (threads === 0) resolve();
      });
    } finally {
      clearInterval(watch);
    }
  }

  /** Begins nothing more, and cuts short what is under way. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    Atomics.store(this.#memory, STOP, 1);
    setTimeout(() => {
      for (const { worker } of this.#threads) void worker.terminate();
    }, GRACE_MS).unref();
  }

  #start(slot: number): void {
    const { module, data, count } = this.#task;
    const workerData: ThreadData = { module: module.href, data, count, memory: this.#memory, slot };
    const worker = new Worker(new URL('./pool-thread.js', import.meta.url), { workerData });
    const thread: Watched = { worker, slot, item: IDLE, sinceMs: performance.now(), why: null };
    this.#threads.add(thread);
    worker.on('message', this.#task.onReport);
    worker.on('error', (error) => {
      thread.why ??= error.stack ?? error.message;
    });
    worker.on('exit', (status) => {
      this.#ended(thread, status);
    });
  }

  #ended(thread: Watched, status: number): void {
    const { slot, why } = thread;
    this.#threads.delete(thread);
    const item = Atomics.exchange(this.#memory, slot, IDLE);
    if (item !== IDLE && !(this.#stopped && why === null)) {
      this.#task.onDeath(item, why ?? `the thread ended with status ${String(status)}`);
      if (this.#mayBegin()) this.#start(slot);
    } else if (why !== null) {
      this.stop();
      this.#finish?.(new Failure(EX_SOFTWARE, `The work cannot begin: ${why}`));
    }
    if (this.#threads.size === 0) this.#finish?.(null);
  }

  #mayBegin(): boolean {
    return !this.#stopped && Atomics.load(this.#memory, NEXT) < this.#task.count;
  }

  #watch(): void {
    const nowMs = performance.now();
    for (const thread of this.#threads) {
      const item = Atomics.load(this.#memory, thread.slot);
      if (item !== thread.item) {
        thread.item = item;
        thread.sinceMs = nowMs;
      } else if (item !== IDLE && thread.why === null && nowMs - thread.sinceMs > this.#task.itemLimitMs) {
        thread.why = `no end after ${String(Math.round(this.#task.itemLimitMs / 1000))} s`;
        void thread.worker.terminate();
      }
    }
  }
}
