/**
 * `npm run bench`: how fast the data path is, beside servers that replicate nothing, in one run on one machine. Figures of
 * different runs do not compare; ratios of one run do.
 */
import { tmpdir } from 'node:os';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { canRun } from '../system/nbd-clients-tools.js';
import { ceilings } from './ceilings.js';
import { runFio } from './fio.js';
import { growth } from './growth.js';
import { COLD, FILL, JOBS, type Job } from './jobs.js';
import { residentBytes } from './processes.js';
import { jsonOf, textOf, type Report } from './report.js';
import { disturbance, resync, resyncGoal, type ResyncRow } from './resync.js';
import { measure, pairEntrants, type Row } from './rounds.js';
import { Nbdkit, Pair } from './systems.js';

const MIB = 2 ** 20;
const DEVICE_BYTES = 512 * MIB;
const COLD_BYTES = 8192 * MIB;
/** A filesystem in memory, where there is one. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly rounds: number;
  readonly seconds: number;
  /** Works to measure, by their names; null: everything. */
  readonly only: RegExp | null;
  /** A folder for CPU profiles. */
  readonly profile: string | null;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}

async function works(
  jobs: readonly Job[],
  { rounds, seconds, quick, profile }: Options,
): Promise<Pick<Report, 'works' | 'residentBytes'>> {
  if (jobs.length === 0) return { works: [], residentBytes: [] };
  const file = await Nbdkit.start('file', DEVICE_BYTES, MEMORY);
  const memory = await Nbdkit.start('memory', DEVICE_BYTES, MEMORY);
  const profiles = profile === null ? null : profileFolder(profile);
  const pair = await Pair.start({ bytes: DEVICE_BYTES, under: MEMORY, profiles });
  try {
    for (const { name, socket } of quick ? [file, pair] : [file, memory, pair]) {
      progress(`first writes: ${name}`);
      // Memory that the system has yet to find costs more than all the rest.
      await runFio({ socket, job: FILL, seconds: null });
    }
    const yardstick = { name: file.name, system: file, mode: null };
    const inMemory = { name: memory.name, system: memory, mode: null };
    const others = [...(quick ? [] : [inMemory]), ...pairEntrants(pair)];
    const rows = await measure(jobs, yardstick, others, { rounds, seconds, progress });
    const { a, b } = pair.cluster;
    return { works: rows, residentBytes: [...a.workers(), ...b.workers()].map(residentBytes) };
  } finally {
    await Promise.all([file.close(), memory.close(), pair.close()]);
  }
}

/** Workers write there, too, as the user they have become. */
function profileFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o1777);
  return resolve(path);
}

/** On the disk of the temporary folder. */
async function cold({ rounds, seconds }: Options): Promise<{ rows: readonly Row[]; bitsLeft: string }> {
  const file = await Nbdkit.start('file', COLD_BYTES, tmpdir());
  const pair = await Pair.start({ bytes: COLD_BYTES, under: tmpdir() });
  try {
    const yardstick = { name: file.name, system: file, mode: null };
    const entrants = pairEntrants(pair).filter(({ mode }) => mode === 'fullsync');
    const rows = await measure([COLD], yardstick, entrants, { rounds, seconds, progress });
    progress('dirty bits');
    // To look at the data, both nodes had to flush.
    await runFio({ socket: pair.socket, job: COLD, seconds });
    return { rows, bitsLeft: await pair.bitsLeft() };
  } finally {
    await Promise.all([file.close(), pair.close()]);
  }
}

async function resyncs(rtts: readonly number[], bytes: number): Promise<ResyncRow[]> {
  const rows: ResyncRow[] = [];
  for (const rttMs of rtts) rows.push(await resync({ bytes, under: MEMORY, rttMs, progress }));
  return rows;
}

async function bench({ only, ...given }: Options): Promise<Report> {
  const options = given.quick ? { ...given, only, seconds: 0.3, rounds: 1 } : { ...given, only };
  const isWanted = (name: string): boolean => (only === null ? !given.quick : only.test(name));
  const jobs = JOBS.filter(({ name }) => only?.test(name) ?? true);
  const found = { ceilings: await ceilings(MEMORY, options.seconds / 3), ...(await works(jobs, options)) };
  const none = { rows: [], bitsLeft: null };
  const { rows, bitsLeft } = isWanted(COLD.name) ? await cold(options) : none;
  const { seconds } = options;
  return {
    ...found,
    works: [...found.works, ...rows],
    coldBitsLeft: bitsLeft,
    resync: isWanted('resync') ? await resyncs([0, 10], 1024 * MIB) : [],
    disturbance: isWanted('resync')
      ? await disturbance({ bytes: 1024 * MIB, under: MEMORY, rttMs: 0, progress })
      : null,
    growth: await growth({ under: MEMORY, seconds, isWanted, progress }),
  };
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('expected a number, 0 or more.');
}

function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch {
    throw new InvalidArgumentError('expected a regular expression.');
  }
}

function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  process.stdout.write(`${text}\n`);
}

const program = new Command('npm run bench --')
  .description(
    'Measure the data path beside servers that replicate nothing: op/s, ratios, processor time, memory.',
  )
  .option('--quick', 'one short round of the main loads: under a minute', false)
  .option('--json', 'one JSON object, for other programs', false)
  .option('--rounds <n>', 'how often each system has its turn', parseNumber, 3)
  .option('--seconds <s>', 'of each measurement', parseNumber, 3)
  .option(
    '--only <pattern>',
    'only what has such a name, for example cold, growth, resync',
    parsePattern,
    null,
  )
  .option('--profile <folder>', 'leave a CPU profile of each process of the pair there', (path) => path, null)
  .action(async (options: Options) => {
    if (!canRun('the benchmark', ['fio', 'nbdkit'])) return;
    const report = await bench(options);
    show(options.json ? jsonOf(report) : textOf(report));
  });
program
  .command('resync')
  .description('Measure a synchronisation only.')
  .option('--rtt <ms>', 'milliseconds of a round trip between the nodes', parseNumber, 0)
  .option('--mib <n>', 'size of the device', parseNumber, 1024)
  .option('--json', 'one JSON object, for other programs', false)
  .action(async ({ rtt, mib, json }: { rtt: number; mib: number; json: boolean }) => {
    if (!canRun('the benchmark', ['fio'])) return;
    const [row] = await resyncs([rtt], mib * MIB);
    if (row === undefined) return;
    const goal = resyncGoal(rtt, await ceilings(MEMORY, 0.5));
    const rate = (bytesPerS: number): string => `${(bytesPerS / 1e6).toFixed(0)} MB/s`;
    const text = `${String(mib)} MiB over ${String(rtt)} ms: ${rate(row.bytesPerS)} (goal >= ${rate(goal)})`;
    show(json ? JSON.stringify({ ...row, goalBytesPerS: goal }) : text);
  });
await program.parseAsync();
