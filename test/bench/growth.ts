/** How cost grows: with requests in flight, with the size of the media, with the number of resources. */
import { formatBytes } from '../../core/base/human.js';
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

/** What one row is about. */
interface Point {
  /** For people, and to choose by. */
  readonly name: string;
  readonly bytes: number;
  readonly resources: readonly string[];
  readonly depth: number;
}

export interface GrowthRow {
  readonly name: string;
  readonly perSecond: number;
  readonly cpuUs: number;
  /** Of the largest worker. */
  readonly residentBytes: number;
}

export interface GrowthOptions {
  readonly under: string;
  readonly seconds: number;
  /** Whether what has this name is to be measured. */
  readonly isWanted: (name: string) => boolean;
  readonly progress: (text: string) => void;
}

const USUAL: Omit<Point, 'name'> = { bytes: 2 * WITHIN_BYTES, resources: ['r0'], depth: 32 };
const POINTS: readonly Point[] = [
  ...DEPTHS.map((depth) => ({ ...USUAL, name: `growth, ${String(depth)} in flight`, depth })),
  ...MEDIA_BYTES.map((bytes) => ({ ...USUAL, name: `growth, media of ${formatBytes(bytes)}`, bytes })),
  ...RESOURCES.map((count) => ({
    ...USUAL,
    name: `growth, ${String(count)} resource${count === 1 ? '' : 's'}`,
    resources: Array.from({ length: count }, (_, index) => `r${String(index)}`),
  })),
];

export async function growth(options: GrowthOptions): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const point of POINTS.filter(({ name }) => options.isWanted(name))) {
    options.progress(point.name);
    rows.push(await measurePoint(point, options));
  }
  return rows;
}

async function measurePoint(point: Point, { under, seconds }: GrowthOptions): Promise<GrowthRow> {
  const { name, bytes, resources, depth } = point;
  const job: Job = { name, pattern: 'randwrite', blockBytes: 4096, depth, goals: {}, goalCpuUs: null };
  const pair = await Pair.start({ bytes, under, resources });
  const load = (time: number): Promise<{ operations: number; perSecond: number }[]> =>
    Promise.all(
      resources.map((resource) =>
        runFio({ socket: pair.socketOf(resource), job, seconds: time, withinBytes: WITHIN_BYTES }),
      ),
    );
  try {
    await load(seconds / 3);
    const beforeMs = cpuMs(pair.pids);
    const figures = await load(seconds);
    const operations = figures.reduce((sum, each) => sum + each.operations, 0);
    return {
      name,
      perSecond: figures.reduce((sum, each) => sum + each.perSecond, 0),
      cpuUs: ((cpuMs(pair.pids) - beforeMs) * 1000) / operations,
      residentBytes: Math.max(...pair.pids.map(residentBytes)),
    };
  } finally {
    await pair.close();
  }
}
