/** One thread of a pool (pool.ts): takes the next item and does it, without ever waiting for anybody. */
import { parentPort, workerData } from 'node:worker_threads';
import { IDLE, NEXT, STOP } from './pool-memory.js';
import type { JobModule, ThreadData } from './pool-memory.js';

const { module, data, count, memory, slot } = workerData as ThreadData;
const { open } = (await import(module)) as JobModule<unknown, unknown>;
const job = await open(data);
const report = (what: unknown): void => parentPort?.postMessage(what);
const mayGoOn = (): boolean => Atomics.load(memory, STOP) === 0;
while (mayGoOn()) {
  const item = Atomics.add(memory, NEXT, 1);
  if (item >= count) break;
  Atomics.store(memory, slot, item);
  job(item, report, mayGoOn);
  Atomics.store(memory, slot, IDLE);
}
