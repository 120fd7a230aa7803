/**
 * How long a synchronisation takes: the secondary has been away while the whole device was written, and comes back. Then the same
 * while an application works, whose writes should hardly notice.
 */
import type { Ceilings } from './ceilings.js';
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
/** Shorter than the synchronisation. */
const APPLICATION_S = 1.5;

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
  /** Microseconds, of writes on both nodes: nothing else going on, and during a synchronisation. */
  readonly p50AloneUs: number;
  readonly p50Us: number;
  readonly p99AloneUs: number;
  readonly p99Us: number;
  /** What the synchronisation got beside it. */
  readonly bytesPerS: number;
}

/** What the C daemon copies in a second over a round trip of 10 ms, one chunk at a time, and how many times that is wanted. */
const REFERENCE_OVER_DISTANCE = 12e6;
const REFERENCE_RTT_MS = 10;
const TIMES_REFERENCE = 20;
const SHARE_OF_CEILING = 0.8;
/** How many times the 99th percentile without a synchronisation. */
export const MOST_DISTURBANCE = 2;

/** Bytes per second: over a distance a multiple of the C daemon's, else a share of what the slower of network and disk takes. */
export function resyncGoal(
  rttMs: number,
  ceilings: Pick<Ceilings, 'tcpBytesPerS' | 'writeBytesPerS'>,
): number {
  if (rttMs > 0)
    return (TIMES_REFERENCE * REFERENCE_OVER_DISTANCE * REFERENCE_RTT_MS) / Math.max(rttMs, REFERENCE_RTT_MS);
  return SHARE_OF_CEILING * Math.min(ceilings.tcpBytesPerS, ceilings.writeBytesPerS);
}

/** Copies everything once. */
export async function resync({ bytes, under, rttMs, progress }: ResyncOptions): Promise<ResyncRow> {
  return apart({ bytes, under, rttMs, progress }, async (pair) => {
    progress(`synchronisation over ${String(rttMs)} ms`);
    const { seconds } = await reunite(pair, nothing);
    await pair.verify();
    return { rttMs, bytes, bytesPerS: bytes / seconds };
  });
}

/** What an application notices of it; the synchronisation outlasts the measurement. */
export async function disturbance(options: ResyncOptions): Promise<Disturbance> {
  return apart(options, async (pair) => {
    const { socket } = pair;
    const load = { socket, job: APPLICATION, ratePerS: APPLICATION_PER_S };
    await reunite(pair, nothing);
    options.progress('an application alone');
    const alone = await runFio({ ...load, seconds: APPLICATION_S });
    await part(pair);
    options.progress('an application during a synchronisation');
    const { seconds, meanwhile } = await reunite(pair, () => runFio({ ...load, seconds: APPLICATION_S }));
    return {
      p50AloneUs: alone.p50Us,
      p99AloneUs: alone.p99Us,
      p50Us: meanwhile.p50Us,
      p99Us: meanwhile.p99Us,
      bytesPerS: options.bytes / seconds,
    };
  });
}

/** A pair whose secondary lacks every byte. */
async function apart<T>(options: ResyncOptions, measured: (pair: Pair) => Promise<T>): Promise<T> {
  const { bytes, under, rttMs, progress } = options;
  const pair = await Pair.start({ bytes, under, rttMs });
  try {
    progress('writing while the secondary is away');
    await part(pair);
    return await measured(pair);
  } finally {
    await pair.close();
  }
}

/** The secondary goes, and everything is written without it. */
async function part(pair: Pair): Promise<void> {
  await pair.cluster.b.role('init');
  await runFio({ socket: pair.socket, job: FILL, seconds: null });
}

const nothing = (): Promise<void> => Promise.resolve();

interface Reunion<T> {
  /** Until everything was copied. */
  readonly seconds: number;
  /** Of what was done while it was copied. */
  readonly meanwhile: T;
}

/** The secondary is back; `work` is done while it catches up. */
async function reunite<T>(pair: Pair, work: () => Promise<T>): Promise<Reunion<T>> {
  const { a, b } = pair.cluster;
  const from = a.log.length;
  await b.role('secondary');
  await a.logged('Synchronization started', from);
  const startedMs = performance.now();
  const complete = a
    .logged('Synchronization complete', from)
    .then(() => (performance.now() - startedMs) / 1000);
  const [seconds, meanwhile] = await Promise.all([complete, work()]);
  return { seconds, meanwhile };
}
