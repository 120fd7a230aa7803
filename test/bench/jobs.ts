/** What is measured: the loads of the data path, as fio runs them, and what the ratios to nbdkit should be. */

export type Mode = 'fullsync' | 'memsync' | 'async';

export interface Job {
  readonly name: string;
  /** As fio calls it. */
  readonly pattern: 'randwrite' | 'write' | 'randread' | 'read';
  readonly blockBytes: number;
  readonly depth: number;
  /** For the pair: the least ratio of operations to those of `nbdkit file`, by mode; a mode without one is not measured. */
  readonly goals: Readonly<Partial<Record<Mode, number>>>;
  /** Microseconds of all processes but fio, for one operation: at most. */
  readonly goalCpuUs: number | null;
}

export const JOBS: readonly Job[] = [
  {
    ...{ name: '4k random write QD32', pattern: 'randwrite', blockBytes: 4096, depth: 32 },
    ...{ goals: { fullsync: 0.4, memsync: 0.4, async: 0.45 }, goalCpuUs: 30 },
  },
  {
    ...{ name: '4k random write QD1', pattern: 'randwrite', blockBytes: 4096, depth: 1 },
    ...{ goals: { fullsync: 0.45 }, goalCpuUs: 200 },
  },
  {
    ...{ name: '128k sequential write QD8', pattern: 'write', blockBytes: 131_072, depth: 8 },
    ...{ goals: { fullsync: 0.45 }, goalCpuUs: null },
  },
  {
    ...{ name: '4k random read QD32', pattern: 'randread', blockBytes: 4096, depth: 32 },
    ...{ goals: { fullsync: 1 }, goalCpuUs: null },
  },
  {
    ...{ name: '4k random read QD1', pattern: 'randread', blockBytes: 4096, depth: 1 },
    ...{ goals: { fullsync: 0.8 }, goalCpuUs: null },
  },
  {
    ...{ name: '128k sequential read QD8', pattern: 'read', blockBytes: 131_072, depth: 8 },
    ...{ goals: { fullsync: 0.8 }, goalCpuUs: null },
  },
];

export function writes({ pattern }: Pick<Job, 'pattern'>): boolean {
  return pattern === 'randwrite' || pattern === 'write';
}

/** Random writes over much more than what is kept dirty: nearly every one is the first to its extent. */
export const COLD: Job = {
  ...{ name: '4k random write QD32, cold', pattern: 'randwrite', blockBytes: 4096, depth: 32 },
  ...{ goals: { fullsync: 0.25 }, goalCpuUs: null },
};

/** Writes everything once, before anything is measured. */
export const FILL = { name: 'fill', pattern: 'write', blockBytes: 131_072, depth: 8 } as const;
