/** Runs fio against an NBD export on a Unix socket. */
import { output } from '../system/nbd-clients-tools.js';
import { writes, type Job } from './jobs.js';

export interface Load {
  readonly socket: string;
  readonly job: Pick<Job, 'name' | 'pattern' | 'blockBytes' | 'depth'>;
  /** Null: until everything was touched once. */
  readonly seconds: number | null;
  /** Operations per second at most; 0: as many as possible. */
  readonly ratePerS?: number;
  /** Bytes from the start of the device; all of it when not given. */
  readonly withinBytes?: number;
}

export interface Figures {
  readonly operations: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

interface FioSide {
  readonly total_ios: number;
  readonly iops: number;
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

export async function runFio({
  socket,
  job,
  seconds,
  ratePerS = 0,
  withinBytes = 0,
}: Load): Promise<Figures> {
  const text = await output(
    'fio',
    ...['--name=bench', '--ioengine=nbd', `--uri=nbd+unix:///?socket=${socket}`],
    ...[`--rw=${job.pattern}`, `--bs=${String(job.blockBytes)}`, `--iodepth=${String(job.depth)}`],
    ...(seconds === null ? [] : ['--time_based', `--runtime=${String(Math.round(seconds * 1000))}ms`]),
    ...(ratePerS > 0 ? [`--rate_iops=${String(ratePerS)}`] : []),
    ...(withinBytes > 0 ? [`--size=${String(withinBytes)}`] : []),
    ...['--norandommap', '--randrepeat=0', '--refill_buffers', '--output-format=json'],
  );
  const { jobs } = JSON.parse(text.slice(text.indexOf('{'))) as { jobs: { read: FioSide; write: FioSide }[] };
  const side = writes(job) ? jobs[0]?.write : jobs[0]?.read;
  if (side === undefined) throw new Error(`fio reports nothing about ${job.name}`);
  const { percentile = {} } = side.clat_ns;
  return {
    operations: side.total_ios,
    perSecond: side.iops,
    p50Us: (percentile['50.000000'] ?? 0) / 1000,
    p99Us: (percentile['99.000000'] ?? 0) / 1000,
  };
}
