/** `hastsim bench`: how fast the simulator is, and how long the smoke test of every commit takes. */
import { Command } from 'commander';
import { crashpoints } from './crashpoints.js';
import type { CrashSummary } from './crashpoints.js';
import { CRASH_SCRIPTS } from '../../sim/tools/crash-scripts.js';
import { fuzz } from './fuzz.js';
import type { FuzzOptions, FuzzSummary } from './fuzz.js';
import { jobsOption, jsonOption, parseCount } from './options.js';
import { rate } from './text.js';
import type { Terminal } from './terminal.js';

interface BenchOptions {
  readonly single: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly json: boolean;
}

export function benchCommand(terminal: Terminal): Command {
  return new Command('bench')
    .description(
      'Measure scenarios per second on one core, and the smoke test: seeds, then all crash points.',
    )
    .option('--single <n>', 'seeds on one core', parseCount, 2000)
    .option('-n, --seeds <n>', 'seeds of the smoke test', parseCount, 10_000)
    .addOption(jobsOption('threads of the smoke test'))
    .addOption(jsonOption())
    .action((options: BenchOptions) => bench(options, terminal));
}

async function bench({ single, seeds, jobs, json }: BenchOptions, terminal: Terminal): Promise<void> {
  const quiet = terminal.withoutResults();
  const say = (text: string): void => {
    if (!json) terminal.print(text);
  };
  const oneCore = await fuzz(options(single, 1), quiet);
  say(`one core:     ${speed(oneCore)}`);
  const many = await fuzz(options(seeds, jobs), quiet);
  say(`${String(jobs)} threads:    ${speed(many)}`);
  const crashes = await crashpoints(
    Object.keys(CRASH_SCRIPTS),
    { profile: 'default', jobs, json: false },
    quiet,
  );
  say(`crash points: ${crashText(crashes)}`);
  const smokeSeconds = many.seconds + crashes.seconds;
  say(`smoke test:   ${smokeSeconds.toFixed(1)} s`);
  const failures = oneCore.failures + many.failures + crashes.failures;
  if (failures > 0) say(`${String(failures)} failures`);
  terminal.exitCode = quiet.exitCode;
  if (json)
    terminal.print(JSON.stringify({ oneCore, smoke: { seconds: smokeSeconds, jobs, fuzz: many, crashes } }));
}

function options(seeds: number, jobs: number): FuzzOptions {
  const shard = { index: 1, count: 1 };
  return { seeds, from: 1, jobs, shard, profile: 'default', corpus: false, json: false };
}

function speed(summary: FuzzSummary): string {
  const { seeds, seconds, scenariosPerSecond, eventsPerSecond } = summary;
  const { requestsPerScenario, eventsPerScenario, faultsPerScenario } = summary;
  return (
    `${String(seeds)} scenarios in ${seconds.toFixed(1)} s: ${rate(scenariosPerSecond)} scenarios/s, ` +
    `${rate(eventsPerSecond)} events/s; each ${requestsPerScenario.toFixed(0)} requests, ` +
    `${eventsPerScenario.toFixed(0)} events, ${faultsPerScenario.toFixed(1)} faults`
  );
}

function crashText({ scripts, points, runs, seconds }: CrashSummary): string {
  return (
    `${String(scripts)} scripts, ${String(points)} points, ${String(runs)} runs in ${seconds.toFixed(1)} s: ` +
    `${rate(runs / seconds)} runs/s`
  );
}
