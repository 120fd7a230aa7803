/** `hastsim shrink`: what is left of a failing history when everything is taken away that the failure does not need. */
import { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import { printScript } from '../../sim/script/print.js';
import { EX_DATAERR, EX_SOFTWARE } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { asOption, choiceOf, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { jsonOption, parseCount, parseSeconds } from './options.js';
import { Pool } from './pool.js';
import { showProgress } from './progress.js';
import type { ShortScript } from './shorten.js';
import type { ShrinkPlan, ShrinkReport } from './shrink-job.js';
import { SIMULATOR } from './simulator-port.js';
import { openSubject, subjectArgument, subjectName } from './subject.js';
import type { Subject } from './subject.js';
import { counted } from './text.js';
import { EX_INTERRUPTED } from './terminal.js';
import type { Terminal } from './terminal.js';

interface ShrinkOptions extends ChoiceOptions {
  readonly runs: number;
  readonly seconds: number;
  readonly output?: string;
  readonly json: boolean;
}

export function shrinkCommand(terminal: Terminal): Command {
  return new Command('shrink')
    .description(
      'Make a failing history short: print the shortest script found that breaks the same invariant.',
    )
    .addArgument(subjectArgument())
    .addOption(profileOption())
    .addOption(asOption())
    .option('--runs <n>', 'how many scripts may be tried', parseCount, 20_000)
    .option('-t, --seconds <s>', 'how long it may take', parseSeconds, 60)
    .option('-o, --output <file>', 'write the script to a file')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The script goes to stdout, with the violation as a comment. Control-C ends with the shortest so far.

Examples:
  hastsim shrink 4711
  hastsim shrink 4711 -o bug.hast && hastsim explain bug.hast
  hastsim shrink 4711 --profile disk --seconds 300`,
    )
    .action((subject: Subject, options: ShrinkOptions) => shrink(subject, options, terminal));
}

async function shrink(subject: Subject, options: ShrinkOptions, terminal: Terminal): Promise<void> {
  const beganMs = performance.now();
  const { script } = await openSubject(subject, options, SIMULATOR);
  const plan: ShrinkPlan = {
    simulator: SIMULATOR,
    choice: choiceOf(options, [script]),
    script: printScript(script),
    effort: { runs: options.runs, ms: options.seconds * 1000 },
  };
  const short = await inThread(plan, terminal);
  if (short === null) throw new Failure(EX_DATAERR, `${subjectName(subject)} breaks no invariant.`);
  const seconds = (performance.now() - beganMs) / 1000;
  const { violation, text, steps, runs } = short;
  if (options.output !== undefined) writeFileSync(options.output, text);
  if (options.json) {
    const { invariant } = violation;
    terminal.print(JSON.stringify({ invariant, violation, steps, runs, seconds, script: text }));
    return;
  }
  if (options.output === undefined) terminal.print(text.trimEnd());
  const before = counted(script.steps.length, 'step');
  terminal.note(`${before} before, ${String(steps)} now; ${counted(runs, 'run')} in ${seconds.toFixed(1)} s`);
}

/** Throws a Failure when the script kills the simulator. */
async function inThread(plan: ShrinkPlan, terminal: Terminal): Promise<ShortScript | null> {
  let runs = 0;
  let short: ShortScript | null | undefined;
  let death: string | null = null;
  const pool = new Pool<ShrinkReport>({
    module: new URL('./shrink-job.js', import.meta.url),
    data: plan,
    count: 1,
    jobs: 1,
    itemLimitMs: plan.effort.ms + 60_000,
    onReport: (report) => {
      if (report.kind === 'runs') runs = report.runs;
      else short = report.short;
    },
    onDeath: (_item, why) => (death = why),
  });
  const endProgress = showProgress(terminal, () => counted(runs, 'run'));
  const stop = (): void => {
    pool.stop();
  };
  try {
    await terminal.interruptible(pool.run(), stop);
  } finally {
    endProgress();
  }
  if (death !== null) throw new Failure(EX_SOFTWARE, `The simulator did not survive it: ${String(death)}`);
  if (short === undefined) throw new Failure(EX_INTERRUPTED, 'Interrupted before the first run.');
  return short;
}
