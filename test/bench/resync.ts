/**
 * How long a synchronisation takes: the secondary has been away while the whole device was written, and comes back. Then the same
 * while an application works, whose writes should hardly notice.
 */
import { runFio } from './fio.js';
import type { Job } from './jobs.js';
import { Pair } from './systems.js';

const FILL: Job = {
  ...{ name: 'fill', pattern: 'write', blockBytes: 2 ** 20, depth: 4, goals: {}, goalCpuUs: null },
};
const APPLICATION: Job = {
  ...{ name: 'application', pattern: 'randwrite', blockBytes: 4096, depth: 4, goals: {}, goalCpuUs: null },
};
/** Well below what the pair can do: what is asked for is how long each takes. */
const APPLICATION_PER_S = 500;

export interface ResyncOptions {
  readonly bytes: number;
  readonly under: string;
  /** Milliseconds that the network between the nodes adds to a round trip. */
  readonly rttMs: number;
  readonly progress: (text: string) => void;
}

export interface ResyncRow {
  readonly rttMs: number;
  readonly bytes: number;
  readonly bytesPerS: number;
}

export interface Disturbance {
  /** Microseconds, of writes: nothing else going on, and during a synchronisation. */
  readonly p99AloneUs: number;
  readonly p99Us: number;
}

/** Copies everything once. */
export async function resync({ bytes, under, rttMs, progress }: ResyncOptions): Promise<ResyncRow> {
  return apart({ bytes, under, rttMs, progress }, async (pair) => {
    progress(`synchronisation over ${String(rttMs)} ms`);
    const seconds = await reunite(pair);
    await pair.verify();
    return { rttMs, bytes, bytesPerS: bytes / seconds };
  });
}

/** What an application notices of it. */
export async function disturbance(options: ResyncOptions): Promise<Disturbance> {
  return apart(options, async (pair) => {
    const { socket } = pair;
    const load = { socket, job: APPLICATION, ratePerS: APPLICATION_PER_S };
    options.progress('an application alone');
    const alone = await runFio({ ...load, seconds: 3 });
    options.progress('an application during a synchronisation');
    const [together] = await Promise.all([runFio({ ...load, seconds: 3 }), reunite(pair)]);
    return { p99AloneUs: alone.p99Us, p99Us: together.p99Us };
  });
}

/** A pair whose secondary lacks every byte. */
async function apart<T>(options: ResyncOptions, measured: (pair: Pair) => Promise<T>): Promise<T> {
  const { bytes, under, rttMs, progress } = options;
  const pair = await Pair.start({ bytes, under, rttMs });
  try {
    progress('writing while the secondary is away');
    await pair.cluster.b.role('init');
    await runFio({ socket: pair.socket, job: FILL, seconds: null });
    return await measured(pair);
  } finally {
    await pair.close();
  }
}

/** The secondary is back; seconds until everything is copied. */
async function reunite(pair: Pair): Promise<number> {
  const { a, b } = pair.cluster;
  const from = a.log.length;
  await b.role('secondary');
  await a.logged('Synchronization started', from);
  const startedMs = performance.now();
  await a.logged('Synchronization complete', from);
  return (performance.now() - startedMs) / 1000;
}
