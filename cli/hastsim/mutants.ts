/**
 * `hastsim mutants`: tests the tester. Each known defect is looked for with the histories of its profile, one at a time;
 * one that survives shows that a judge or a profile is not good enough yet.
 */
import { Command } from 'commander';
import type { Mutant } from '../../sim/faults/mutant.js';
import { mutants } from '../../sim/faults/table.js';
import { profileNamed } from '../../sim/nemesis/profiles.js';
import { EX_SOFTWARE, EX_USAGE } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { Copies } from './mutants-copies.js';
import { MutantSearch, type MutantRun } from './mutants-run.js';
import { jobsOption, jsonOption, parseCount, parseSeed } from './options.js';
import { bar, showProgress } from './progress.js';
import type { Effort } from './shorten.js';
import type { Terminal } from './terminal.js';
import { indented } from './text.js';

interface MutantsOptions {
  readonly seeds: number;
  readonly from: number;
  readonly jobs: number;
  /** Ids; empty: all. */
  readonly only: readonly string[];
  /** Null: those of the table. */
  readonly profile?: string;
  readonly shrink: boolean;
  readonly scripts: boolean;
  readonly json: boolean;
}

const EFFORT: Effort = { runs: 3000, ms: 20_000 };

export function mutantsCommand(terminal: Terminal): Command {
  return new Command('mutants')
    .description('Look for known defects, one at a time; exit with 1 when one of them is not found.')
    .option('-n, --seeds <n>', 'how many seeds each', parseCount, 2000)
    .option('--from <seed>', 'the first seed', parseSeed, 1)
    .addOption(jobsOption())
    .option('--only <id>', 'this defect alone (may be given more than once)', collected, [])
    .option('--profile <name>', 'look with this profile, not with those of the table')
    .option('--no-shrink', 'do not make short what was found')
    .option('--scripts', 'print the scripts, too', false)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Each defect is a patch in a temporary copy of the compiled core. Those that begin with w1 ... w41 bring a weakness of
the reference back (core/spec/replication.md section 15).

Examples:
  hastsim mutants
  hastsim mutants --only w1-error-reply --only w2-not-counted-again --scripts
  hastsim mutants --seeds 200 --no-shrink --json`,
    )
    .action((options: MutantsOptions) => lookForMutants(options, terminal));
}

function collected(id: string, ids: readonly string[]): readonly string[] {
  return [...ids, id];
}

async function lookForMutants(options: MutantsOptions, terminal: Terminal): Promise<void> {
  const { json, profile } = options;
  if (profile !== undefined && profileNamed(profile) === null)
    throw new Failure(EX_USAGE, `There is no profile ${profile}: see \`hastsim profiles\`.`);
  const hunt = new Hunt(chosen(options.only), options);
  const endProgress = showProgress(terminal, () => hunt.progress);
  if (!json)
    hunt.onFound = (run) => {
      terminal.print(lines(run, options.scripts));
    };
  try {
    await terminal.interruptible(hunt.run(), () => {
      hunt.stop();
    });
  } finally {
    endProgress();
  }
  if (json) terminal.print(JSON.stringify({ mutants: hunt.runs.map(jsonOf) }));
  else terminal.print(hunt.summary);
  if (hunt.runs.some(({ killed }) => !killed)) terminal.exitCode ||= 1;
}

function chosen(ids: readonly string[]): readonly Mutant[] {
  const unknown = ids.find((id) => mutants.every((mutant) => mutant.id !== id));
  if (unknown !== undefined) throw new Failure(EX_USAGE, `There is no mutant ${unknown}.`);
  return ids.length === 0 ? mutants : mutants.filter(({ id }) => ids.includes(id));
}

/** The searches, several at a time. */
class Hunt {
  readonly #all: readonly Mutant[];
  readonly #options: MutantsOptions;
  readonly #copies = new Copies();
  readonly #found = new Map<Mutant, MutantRun>();
  readonly #searches = new Set<MutantSearch>();
  #next = 0;
  #stopped = false;
  onFound: (run: MutantRun) => void = () => undefined;

  constructor(all: readonly Mutant[], options: MutantsOptions) {
    this.#all = all;
    this.#options = options;
  }

  /** In the order of the table. */
  get runs(): readonly MutantRun[] {
    return this.#all.flatMap((mutant) => this.#found.get(mutant) ?? []);
  }

  get progress(): string {
    const { runs } = this;
    const survived = runs.filter(({ killed }) => !killed).length;
    const under = [...this.#searches].map(({ id }) => id).join(', ');
    return `${bar(runs.length / this.#all.length)}  ${String(survived)} survived  ${under}`;
  }

  get summary(): string {
    const { runs } = this;
    const killed = runs.filter((run) => run.killed);
    const lengths = killed.flatMap(({ shrunkLines }) => shrunkLines ?? []).sort((a, b) => a - b);
    const median = lengths[Math.floor(lengths.length / 2)];
    const short = median === undefined ? '' : `, by scripts of ${String(median)} lines (median)`;
    return `${String(killed.length)} of ${String(runs.length)} found${short}`;
  }

  async run(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.jobs }, () => this.#work()));
    } finally {
      this.#copies.remove();
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const search of this.#searches) search.stop();
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const mutant = this.#all[this.#next++];
      if (mutant === undefined) return;
      await this.#lookFor(mutant);
    }
  }

  async #lookFor(mutant: Mutant): Promise<void> {
    const { from, seeds, profile = mutant.profile, shrink } = this.#options;
    const build = this.#build(mutant);
    const effort = shrink ? EFFORT : null;
    const search = new MutantSearch(mutant, { build, profile, from, seeds, effort });
    this.#searches.add(search);
    const run = await search.run();
    this.#searches.delete(search);
    this.#copies.forget(build);
    if (this.#stopped) return;
    this.#found.set(mutant, run);
    this.onFound(run);
  }

  #build(mutant: Mutant): string {
    try {
      return this.#copies.build([mutant]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Failure(EX_SOFTWARE, `Mutant ${mutant.id} cannot be made: ${why}.`);
    }
  }
}

function lines(run: MutantRun, withScript: boolean): string {
  const { mutant, killed, seed, invariant, shrunkLines, seconds, text, script, profile } = run;
  const about = `${mutant.id}: ${mutant.title}`;
  if (!killed) return `SURVIVED ${about} (profile ${profile})`;
  const size = shrunkLines === null ? '' : `, ${String(shrunkLines)} lines`;
  const found = `${invariant ?? ''}, seed ${String(seed)}${size}, ${seconds.toFixed(1)} s: ${text ?? ''}`;
  const shown = withScript && script !== null ? `\n${indented(script)}` : '';
  return `found    ${about}\n    ${found}${shown}`;
}

function jsonOf(run: MutantRun): Readonly<Record<string, unknown>> {
  const { mutant, killed, seed, seedsNeeded, profile, invariant, shrunkLines, seconds, text, script } = run;
  const { id, title, weakness = null, invariant: expected } = mutant;
  const measured = { id, killed, seed, seedsNeeded, profile, invariant, shrunkLines, seconds };
  return { ...measured, title, weakness, expected, text, script };
}
