/** How cost grows: with requests in flight, with the size of the media, with the number of resources. */
import { runFio } from './fio.js';
import type { Job } from './jobs.js';
import { cpuMs, residentBytes } from './processes.js';
import { Pair } from './systems.js';

const MIB = 2 ** 20;
const DEPTHS = [1, 2, 4, 8, 16, 32, 64, 128];
const MEDIA_BYTES = [2 ** 30, 2 ** 36, 2 ** 44];
const RESOURCES = [1, 4, 16];
/** Of each device, so that only its size differs. */
const WITHIN_BYTES = 256 * MIB;

export interface GrowthRow {
  readonly what: 'in flight' | 'media' | 'resources';
  readonly value: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  /** Of the largest worker. */
  readonly residentBytes: number;
}

export interface GrowthOptions {
  readonly under: string;
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

export async function growth(options: GrowthOptions): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  const pair = await Pair.start({ bytes: 2 * WITHIN_BYTES, under: options.under });
  try {
    for (const depth of DEPTHS) {
      options.progress(`${String(depth)} requests in flight`);
      rows.push(await grown(pair, 'in flight', depth, options.seconds, ['r0'], depth));
    }
  } finally {
    await pair.close();
  }
  for (const bytes of MEDIA_BYTES) rows.push(await withPair(options, 'media', bytes, bytes, ['r0']));
  for (const count of RESOURCES) {
    const resources = Array.from({ length: count }, (_, index) => `r${String(index)}`);
    rows.push(await withPair(options, 'resources', count, 2 * WITHIN_BYTES, resources));
  }
  return rows;
}

async function withPair(
  { under, seconds, progress }: GrowthOptions,
  what: GrowthRow['what'],
  value: number,
  bytes: number,
  resources: readonly string[],
): Promise<GrowthRow> {
  progress(`${what} ${String(value)}`);
  const pair = await Pair.start({ bytes, under, resources });
  try {
    return await grown(pair, what, value, seconds, resources, 32);
  } finally {
    await pair.close();
  }
}

async function grown(
  pair: Pair,
  what: GrowthRow['what'],
  value: number,
  seconds: number,
  resources: readonly string[],
  depth: number,
): Promise<GrowthRow> {
  const job: Job = { name: what, pattern: 'randwrite', blockBytes: 4096, depth, goals: {}, goalCpuUs: null };
  const load = (time: number): Promise<{ operations: number; perSecond: number }[]> =>
    Promise.all(
      resources.map((resource) =>
        runFio({ socket: pair.socketOf(resource), job, seconds: time, withinBytes: WITHIN_BYTES }),
      ),
    );
  await load(seconds / 3);
  const beforeMs = cpuMs(pair.pids);
  const figures = await load(seconds);
  const operations = figures.reduce((sum, each) => sum + each.operations, 0);
  return {
    ...{ what, value },
    perSecond: figures.reduce((sum, each) => sum + each.perSecond, 0),
    cpuUs: ((cpuMs(pair.pids) - beforeMs) * 1000) / operations,
    residentBytes: Math.max(...pair.pids.map(residentBytes)),
  };
}
