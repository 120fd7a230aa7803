/**
 * Systems take turns, job by job and round by round, and the order is reversed every round: what else the machine does hits
 * all of them. Ratios are of one round, and their median is what counts.
 */
import { runFio } from './fio.js';
import { writes, type Job, type Mode } from './jobs.js';
import { cpuMs } from './processes.js';
import { median, spread } from './statistics.js';
import type { Pair, System } from './systems.js';

/** One system, in one of its ways of working. */
export interface Entrant {
  readonly name: string;
  readonly system: System;
  /** Null: not a pair. */
  readonly mode: Mode | null;
}

interface Sample {
  readonly perSecond: number;
  readonly ratio: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Medians over the rounds. */
export interface Row {
  readonly work: string;
  readonly system: string;
  readonly perSecond: number;
  /** Of `perSecond`: the outermost rounds' distance, relative to the median. */
  readonly spread: number;
  /** To the yardstick, in the same round. */
  readonly ratio: number;
  readonly goal: number | null;
  /** Microseconds of processor time of all processes but fio, for one operation. */
  readonly cpuUs: number;
  readonly goalCpuUs: number | null;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
  /** Told before each measurement. */
  readonly progress: (text: string) => void;
}

export function pairEntrants(pair: Pair): readonly Entrant[] {
  return (['fullsync', 'memsync', 'async'] as const).map((mode) => ({
    name: `hast ${mode}`,
    system: pair,
    mode,
  }));
}

/** Everything relative to `yardstick`, which runs first in every other round. */
export async function measure(
  jobs: readonly Job[],
  yardstick: Entrant,
  others: readonly Entrant[],
  { rounds, seconds, progress }: Rounds,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const job of jobs) {
    const entrants = [yardstick, ...others].filter(
      ({ mode }) => mode === null || job.goals[mode] !== undefined,
    );
    const samples = new Map<Entrant, Sample[]>(entrants.map((entrant) => [entrant, []]));
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? entrants : entrants.toReversed();
      const found = new Map<Entrant, Omit<Sample, 'ratio'>>();
      for (const entrant of order) {
        progress(`${job.name}: ${entrant.name}, round ${String(round + 1)} of ${String(rounds)}`);
        found.set(entrant, await measureOne(job, entrant, seconds));
      }
      const unit = found.get(yardstick)?.perSecond ?? Number.NaN;
      for (const [entrant, sample] of found) {
        samples.get(entrant)?.push({ ...sample, ratio: sample.perSecond / unit });
      }
    }
    for (const [entrant, list] of samples) rows.push(rowOf(job, entrant, list));
  }
  return rows;
}

async function measureOne(
  job: Job,
  { system, mode }: Entrant,
  seconds: number,
): Promise<Omit<Sample, 'ratio'>> {
  if (mode !== null && 'setMode' in system) await (system as Pair).setMode(mode);
  const { socket } = system;
  // What compilers and caches have to learn is not measured.
  await runFio({ socket, job, seconds: seconds / 3 });
  const beforeMs = cpuMs(system.pids);
  const { operations, perSecond, p50Us, p99Us } = await runFio({ socket, job, seconds });
  const cpuUs = ((cpuMs(system.pids) - beforeMs) * 1000) / operations;
  if (writes(job)) await system.verify();
  return { perSecond, cpuUs, p50Us, p99Us };
}

function rowOf(job: Job, { name, mode }: Entrant, samples: readonly Sample[]): Row {
  const of = (key: keyof Sample): number => median(samples.map((sample) => sample[key]));
  return {
    work: job.name,
    system: name,
    perSecond: of('perSecond'),
    spread: spread(samples.map(({ perSecond }) => perSecond)),
    ratio: of('ratio'),
    goal: mode === null ? null : (job.goals[mode] ?? null),
    cpuUs: of('cpuUs'),
    goalCpuUs: mode === 'fullsync' ? job.goalCpuUs : null,
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
  };
}
