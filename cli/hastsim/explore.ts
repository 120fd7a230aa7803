/** `hastsim explore`: everything that can happen in a very small world, as far as time allows. */
import { Command, InvalidArgumentError } from 'commander';
import type { ReplicationMode } from '../../core/config/types.js';
import { printAction, printScript } from '../../sim/script/print.js';
import type { Exploration, Finding, Level } from '../../sim/tools/explore.js';
import type { Strike } from '../../sim/tools/strikes.js';
import { asOption, choiceOf } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import type { ExplorePlan, ExploreReport } from './explore-job.js';
import { jsonOption, parseCount, parseSeconds } from './options.js';
import { Pool } from './pool.js';
import { showProgress } from './progress.js';
import { SIMULATOR } from './simulator-port.js';
import type { Terminal } from './terminal.js';
import { counted, indented, violationText } from './text.js';

interface ExploreCommandOptions extends Pick<ChoiceOptions, 'as'> {
  readonly runs: number;
  readonly seconds: number;
  readonly writes: number;
  readonly faults: number;
  readonly json: boolean;
}

const MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];
/** Ends well within five minutes. */
const DEFAULT_SECONDS = 270;
const DEFAULT_RUNS = 60_000;

export function exploreCommand(terminal: Terminal): Command {
  return new Command('explore')
    .description(
      'Try everything in a very small world: two extents, a few writes, and faults and delays at every event; ' +
        'exit with 1 when an invariant is broken.',
    )
    .option('-t, --seconds <s>', 'how long it may take', parseSeconds, DEFAULT_SECONDS)
    .option('--runs <n>', 'how many runs it may take', parseCount, DEFAULT_RUNS)
    .option('--writes <n>', 'at most so many writes', numberUpTo(1, 3), 3)
    .option('--faults <n>', 'at most so many faults', numberUpTo(0, 2), 2)
    .addOption(asOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A row for each replication mode and number of faults and writes: how many runs it took, how many branches were
cut off because another one had gone on from the same state, and how many because no runs were left.

Examples:
  hastsim explore
  hastsim explore --faults 1 --seconds 60
  hastsim explore --as freebsd-12.1`,
    )
    .action((options: ExploreCommandOptions) => explore(options, terminal));
}

function numberUpTo(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is ${String(least)} to ${String(most)}.`);
  };
}

/** Each mode has a thread of its own: none waits for another, so all get their share of the time. */
async function explore(options: ExploreCommandOptions, terminal: Terminal): Promise<void> {
  const beganMs = performance.now();
  const plan: ExplorePlan = {
    simulator: SIMULATOR,
    choice: choiceOf({ ...options, profile: 'default' }, []),
    modes: MODES,
    runs: Math.ceil(options.runs / MODES.length),
    maxWrites: options.writes,
    maxStrikes: options.faults,
  };
  const reports = new Map<number, ExploreReport>();
  const deaths: string[] = [];
  const pool = new Pool<ExploreReport>({
    module: new URL('./explore-job.js', import.meta.url),
    data: plan,
    count: MODES.length,
    jobs: MODES.length,
    itemLimitMs: Infinity,
    onReport: (report) => reports.set(report.item, report),
    onDeath: (item, why) => deaths.push(`${MODES[item] ?? ''}: ${why}`),
  });
  const stop = (): void => {
    pool.stop();
  };
  const timer = setTimeout(stop, options.seconds * 1000);
  const endProgress = showProgress(terminal, () => progress([...reports.values()]));
  let interrupted: boolean;
  try {
    interrupted = await terminal.interruptible(pool.run(), stop);
  } finally {
    clearTimeout(timer);
    endProgress();
  }
  const inOrder = [...reports.values()].sort((a, b) => a.item - b.item);
  const result = {
    ...summaryOf(inOrder.map(({ exploration }) => exploration)),
    complete: inOrder.length === MODES.length && inOrder.every(isComplete),
    seconds: (performance.now() - beganMs) / 1000,
    deaths,
    interrupted,
  };
  if (result.findings.length > 0 || deaths.length > 0) terminal.exitCode = 1;
  if (options.json)
    terminal.print(JSON.stringify({ ...result, findings: result.findings.map(findingForJson) }));
  else print(result, terminal);
}

interface Result {
  readonly levels: readonly Level[];
  readonly findings: readonly Finding[];
  readonly runs: number;
  readonly states: number;
  readonly complete: boolean;
  readonly seconds: number;
  readonly deaths: readonly string[];
  readonly interrupted: boolean;
}

function isComplete({ done, exploration }: ExploreReport): boolean {
  return done && exploration.levels.every(({ runs, untried }) => runs > 0 && untried === 0);
}

function summaryOf(
  explorations: readonly Exploration[],
): Pick<Result, 'levels' | 'findings' | 'runs' | 'states'> {
  const sum = (count: (exploration: Exploration) => number): number =>
    explorations.reduce((total, exploration) => total + count(exploration), 0);
  return {
    levels: explorations.flatMap(({ levels }) => levels),
    findings: explorations.flatMap(({ findings }) => findings),
    runs: sum(({ runs }) => runs),
    states: sum(({ states }) => states),
  };
}

function progress(reports: readonly ExploreReport[]): string {
  const { runs, states, findings, levels } = summaryOf(reports.map(({ exploration }) => exploration));
  const begun = levels.filter((level) => level.runs > 0).length;
  return [
    counted(runs, 'run'),
    counted(states, 'state'),
    `level ${String(begun)} of ${String(levels.length)}`,
    counted(findings.length, 'failure'),
  ].join('  ');
}

function print(result: Result, terminal: Terminal): void {
  for (const finding of result.findings) printFinding(finding, terminal);
  for (const death of result.deaths) terminal.print(`the simulator did not survive: ${death}`);
  terminal.print(row(['mode', 'faults', 'writes', 'runs', 'known', 'no runs left']));
  for (const { mode, strikes, writes, runs, known, untried } of result.levels) {
    terminal.print(row([mode, strikes, writes, runs, known, untried].map(String)));
  }
  const { runs, states, seconds, complete, findings } = result;
  terminal.print(
    `${counted(runs, 'run')}, ${counted(states, 'state')} in ${seconds.toFixed(1)} s; ` +
      (complete ? 'nothing was left out' : 'not everything was tried'),
  );
  terminal.print(counted(findings.length, 'failure'));
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index === 0 ? cell.padEnd(8) : cell.padStart(index < 3 ? 8 : 13)))
    .join('');
}

function printFinding({ script, strikes, violation }: Finding, terminal: Terminal): void {
  terminal.print(indented(violationText(violation), ''));
  terminal.print(indented(printScript(script)));
  for (const strike of strikes) terminal.print(`  ${strikeText(strike)}`);
}

function strikeText({ events, actions, undo }: Strike): string {
  const what = actions.map(printAction).join(', ');
  return `after ${counted(events, 'event')}: ${what}${undo.length === 0 ? '' : ', for one event'}`;
}

function findingForJson({ script, strikes, violation }: Finding): Readonly<Record<string, unknown>> {
  return { ...violation, script: printScript(script), strikes: strikes.map(strikeText) };
}
