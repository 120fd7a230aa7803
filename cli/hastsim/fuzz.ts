/**
 * `hastsim fuzz`: runs the scripts of many seeds on all cores. What failed in earlier searches is run first; what fails now
 * is made short, told with the command that runs it again, and kept.
 */
import { Command, Option } from 'commander';
import { MARKS } from '../../sim/marks.js';
import type { Mutant } from '../../sim/faults/mutant.js';
import type { RunResult, Violation } from '../../sim/world/result.js';
import { asOption, choiceArguments, choiceOf, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { commitName } from './commit.js';
import { keep, readCorpus } from './corpus.js';
import { shrinkAllowance } from './fuzz-job.js';
import type { FuzzPlan, FuzzReport } from './fuzz-job.js';
import { Naming } from './naming.js';
import {
  jobsOption,
  jsonOption,
  parseCount,
  parseSeconds,
  parseShard,
  parseSeed,
  seedRange,
} from './options.js';
import type { Shard } from './options.js';
import { Pool } from './pool.js';
import { bar, showProgress } from './progress.js';
import type { Effort, ShortScript } from './shorten.js';
import { SIMULATOR } from './simulator-port.js';
import { commandFor, parsed, subjectName } from './subject.js';
import type { Subject } from './subject.js';
import { Tally } from './tally.js';
import type { TallySummary } from './tally.js';
import type { Terminal } from './terminal.js';
import { counted, indented, violationText } from './text.js';

export interface FuzzOptions extends ChoiceOptions {
  /** Neither: DEFAULT_SEEDS. Both: whatever comes first. */
  readonly seeds?: number;
  readonly seconds?: number;
  readonly from: number;
  readonly jobs: number;
  readonly shard: Shard;
  /** Folder; false: none. Absent: DEFAULT_CORPUS, but with `as` none, whose failures are expected. */
  readonly corpus?: string | false;
  readonly json: boolean;
}

const DEFAULT_SEEDS = 1000;
/** A seed takes milliseconds. */
const ITEM_LIMIT_MS = 60_000;
/** Who breaks something that every seed needs is not told a thousand times. */
const SHRINKS = 3;
const DEFAULT_CORPUS = 'hastsim-corpus';
const EFFORT: Effort = { runs: 5000, ms: 10_000 };

interface Failing {
  readonly subject: Subject;
  readonly violation: Violation;
  /** Made short; null: not, or not yet. */
  script: string | null;
  kept: string | null;
  /** Of the reference, that the script shows. */
  weaknesses: readonly Mutant[];
}

export function fuzzCommand(terminal: Terminal): Command {
  return new Command('fuzz')
    .description('Run the histories of many seeds; exit with 1 when one of them breaks an invariant.')
    .option(
      '-n, --seeds <n>',
      `how many seeds (default: ${String(DEFAULT_SEEDS)}, without --seconds)`,
      parseCount,
    )
    .option('-t, --seconds <s>', 'end after this time', parseSeconds)
    .option('--from <seed>', 'the first seed', parseSeed, 1)
    .addOption(jobsOption())
    .addOption(
      new Option('--shard <i/n>', 'only part i of n of the seeds: one machine of many')
        .argParser(parseShard)
        .default({ index: 1, count: 1 }, '1/1'),
    )
    .addOption(profileOption())
    .addOption(asOption())
    .option(
      '--corpus <folder>',
      `where failing scripts are kept, and run first the next time (default: ${DEFAULT_CORPUS}, without --as)`,
    )
    .option('--no-corpus', 'keep nothing, and run seeds only')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  hastsim fuzz                                   ${String(DEFAULT_SEEDS)} seeds, from 1
  hastsim fuzz --seeds 10000 --from 50001        other ones
  hastsim fuzz --seconds 3600 --from "$(date +%s)" --profile hostile
  hastsim fuzz --seeds 100000 --shard 3/8        the third of eight machines
  hastsim fuzz --seeds 500 --json | jq .marks`,
    )
    .action(async (options: FuzzOptions) => {
      await fuzz(options, terminal);
    });
}

/** Returns what `--json` prints. */
export async function fuzz(
  options: FuzzOptions,
  terminal: Terminal,
  simulator = SIMULATOR,
): Promise<FuzzSummary> {
  return new Fuzz(options, terminal, simulator).run();
}

export interface FuzzSummary extends TallySummary {
  readonly failures: number;
  readonly failing: readonly unknown[];
  readonly corpus: number;
  readonly profile: string;
  readonly as: string | null;
  readonly commit: string;
  readonly interrupted: boolean;
}

class Fuzz {
  readonly #options: FuzzOptions;
  readonly #terminal: Terminal;
  readonly #plan: FuzzPlan;
  readonly #seeds: number;
  readonly #commit = commitName();
  readonly #failing = new Map<number, Failing>();
  readonly #tally: Tally;
  readonly #corpus: string | false;
  readonly #naming = new Naming();
  /** What is told in its turn, once it has names. */
  #named = Promise.resolve();
  #stopped = false;

  constructor(options: FuzzOptions, terminal: Terminal, simulator: string) {
    const { from, shard, seconds } = options;
    const seeds = options.seeds ?? (seconds === undefined ? DEFAULT_SEEDS : null);
    const range = seedRange(from, seeds, shard);
    this.#corpus = options.corpus ?? (options.as === undefined ? DEFAULT_CORPUS : false);
    const files = this.#corpus === false ? [] : readCorpus(this.#corpus);
    this.#options = options;
    this.#terminal = terminal;
    this.#seeds = range.count;
    this.#plan = {
      simulator,
      choice: choiceOf(
        options,
        files.map(({ path, text }) => parsed(text, path)),
      ),
      files,
      first: range.first,
      shrinks: shrinkAllowance(SHRINKS),
      effort: EFFORT,
    };
    this.#tally = new Tally(MARKS);
  }

  async run(): Promise<FuzzSummary> {
    const { jobs, seconds, json } = this.#options;
    const terminal = this.#terminal;
    const pool = new Pool<FuzzReport>({
      module: new URL('./fuzz-job.js', import.meta.url),
      data: this.#plan,
      count: this.#plan.files.length + this.#seeds,
      jobs,
      itemLimitMs: ITEM_LIMIT_MS,
      onReport: (report) => {
        this.#reported(report);
      },
      onDeath: (item, why) => {
        this.#died(item, why);
      },
    });
    const stop = (): void => {
      this.#stopped = true;
      pool.stop();
    };
    const timer = seconds === undefined ? null : setTimeout(stop, seconds * 1000);
    const endProgress = showProgress(terminal, () => this.#progress());
    let interrupted: boolean;
    try {
      interrupted = await terminal.interruptible(
        pool.run().then(() => this.#named),
        stop,
      );
    } finally {
      endProgress();
      if (timer !== null) clearTimeout(timer);
    }
    const summary = this.#summary(interrupted);
    if (json) terminal.print(JSON.stringify(summary));
    else this.#printSummary(interrupted);
    if (this.#failing.size > 0) terminal.exitCode = 1;
    return summary;
  }

  #reported(report: FuzzReport): void {
    if (report.kind === 'ran') this.#ran(report.item, report.result, report.shrinking);
    else this.#shrunk(report.item, report.short);
  }

  #ran(item: number, result: RunResult, shrinking: boolean): void {
    if (item >= this.#plan.files.length) this.#tally.add(result);
    const [violation] = result.violations;
    if (violation === undefined) return;
    const failing = this.#add(item, violation);
    if (!shrinking) this.#tell(failing, `make it short: ${this.#command('shrink', failing.subject)}`);
  }

  #shrunk(item: number, short: ShortScript | null): void {
    const failing = this.#failing.get(item);
    if (failing === undefined) return;
    if (short === null) {
      this.#tell(failing, 'run again at once, it did not fail: see `hastsim determinism`');
      return;
    }
    failing.script = short.text;
    failing.kept = this.#keep(failing, short);
    if (this.#options.as === 'freebsd-12.1') this.#named = this.#named.then(() => this.#name(failing, short));
    else this.#tell(failing, null);
  }

  async #name(failing: Failing, { text, violation }: ShortScript): Promise<void> {
    if (!this.#stopped) {
      failing.weaknesses = await this.#naming.weaknessesBehind(parsed(text, 'script'), violation.invariant);
    }
    this.#tell(failing, failing.weaknesses.length > 0 ? null : 'no single weakness is enough for it');
  }

  /** The thread ended while it ran the item, or while it made its script short. */
  #died(item: number, why: string): void {
    const text = `the simulator did not survive it: ${why}`;
    const failing =
      this.#failing.get(item) ?? this.#add(item, { invariant: 'crash', text, atMs: 0, step: 0, block: null });
    this.#tell(failing, failing.violation.text === text ? null : `a shorter one is not known: ${text}`);
  }

  #add(item: number, violation: Violation): Failing {
    const file = this.#plan.files[item];
    const seed = this.#plan.first + item - this.#plan.files.length;
    const subject: Subject = file === undefined ? { kind: 'seed', seed } : { kind: 'file', path: file.path };
    const failing: Failing = { subject, violation, script: null, kept: null, weaknesses: [] };
    this.#failing.set(item, failing);
    return failing;
  }

  #keep({ subject }: Failing, { violation, text }: ShortScript): string | null {
    const { profile } = this.#options;
    if (this.#corpus === false || subject.kind !== 'seed') return null;
    const about = `found by seed ${String(subject.seed)}, profile ${profile}, commit ${this.#commit}`;
    return keep(this.#corpus, `${violation.invariant}-${profile}-${String(subject.seed)}`, about, text);
  }

  #tell(failing: Failing, remark: string | null): void {
    const { subject, violation, script, kept, weaknesses } = failing;
    const lines = [
      `${subjectName(subject)} fails`,
      `  ${indented(violationText(violation)).trimStart()}`,
      `  commit: ${this.#commit}`,
      ...weaknesses.map(({ weakness = '', title, id }) => `  ${weakness}: ${title} (${id})`),
      ...(script === null ? [] : ['  script:', indented(script)]),
      `  again:  ${this.#command('replay', subject)}`,
      ...(kept === null ? [] : [`  kept:   ${kept}`]),
      ...(remark === null ? [] : [`  ${remark}`]),
    ];
    const text = lines.join('\n');
    if (this.#options.json) this.#terminal.note(text);
    else this.#terminal.print(text);
  }

  #command(command: string, subject: Subject): string {
    return commandFor(command, subject, choiceArguments(this.#options, subject.kind));
  }

  #progress(): string {
    const { seconds } = this.#options;
    const { seeds, seedsPerSecond, marksReached } = this.#tally;
    const fraction = Math.max(seeds / this.#seeds, seconds === undefined ? 0 : this.#tally.seconds / seconds);
    return [
      bar(fraction),
      counted(seeds, 'seed'),
      `${seedsPerSecond.toFixed(0)}/s`,
      `marks ${marksReached}`,
      counted(this.#failing.size, 'failure'),
    ].join('  ');
  }

  #printSummary(interrupted: boolean): void {
    if (interrupted) this.#terminal.print('interrupted; so far:');
    for (const line of this.#tally.lines()) this.#terminal.print(line);
    const { length } = this.#plan.files;
    if (length > 0) this.#terminal.print(`${counted(length, 'script')} of the corpus run first`);
    const shown = new Set(
      [...this.#failing.values()].flatMap(({ weaknesses }) => weaknesses.map(({ id }) => id)),
    );
    if (shown.size > 0) this.#terminal.print(`weaknesses shown: ${[...shown].sort().join(', ')}`);
    this.#terminal.print(counted(this.#failing.size, 'failure'));
  }

  #summary(interrupted: boolean): FuzzSummary {
    const { profile, as } = this.#options;
    const inOrder = [...this.#failing].sort(([a], [b]) => a - b).map(([, failing]) => failing);
    return {
      ...this.#tally.summary(),
      failures: this.#failing.size,
      failing: inOrder.map(({ subject, violation, script, kept, weaknesses }) => ({
        seed: subject.kind === 'seed' ? subject.seed : null,
        file: subject.kind === 'file' ? subject.path : kept,
        ...violation,
        script,
        weaknesses: weaknesses.map(({ id }) => id),
        replay: this.#command('replay', subject),
      })),
      corpus: this.#plan.files.length,
      profile,
      as: as ?? null,
      commit: this.#commit,
      interrupted,
    };
  }
}
