/**
 * `hastsim determinism`: runs seeds in separate processes with different settings of the JavaScript engine, in opposite order,
 * and compares the hashes of everything that happened. Where they differ, both are run again with words, to name the first
 * difference.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { EX_SOFTWARE } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { asOption, choiceOf, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import type { DeterminismPlan } from './determinism-job.js';
import { jobsOption, jsonOption, parseCount, parseSeed } from './options.js';
import { bar, showProgress } from './progress.js';
import { SIMULATOR } from './simulator-port.js';
import { counted } from './text.js';
import type { Terminal } from './terminal.js';

export interface DeterminismOptions extends ChoiceOptions {
  readonly seeds: number;
  readonly from: number;
  readonly jobs: number;
  readonly json: boolean;
}

interface Engine {
  readonly name: string;
  readonly flags: readonly string[];
  readonly backwards: boolean;
}

const ENGINES: readonly [Engine, Engine] = [
  { name: 'default', flags: [], backwards: false },
  { name: 'no-opt', flags: ['--no-opt'], backwards: true },
];

interface Mismatch {
  readonly seed: number;
  readonly hashes: Readonly<Record<string, string>>;
  /** The first line that is different, of each engine; null: run alone, they agree. */
  readonly first: Readonly<Record<string, string>> | null;
}

/** Mismatches that are looked into. */
const TOLD = 5;

export function determinismCommand(terminal: Terminal): Command {
  return new Command('determinism')
    .description(
      'Run seeds twice, in processes with different engine settings; exit with 1 when they differ.',
    )
    .option('-n, --seeds <n>', 'how many seeds', parseCount, 1000)
    .option('--from <seed>', 'the first seed', parseSeed, 1)
    .addOption(jobsOption('processes at a time'))
    .addOption(profileOption())
    .addOption(asOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
One process runs the seeds on default settings, the other one with --no-opt and from the last to the first.

Examples:
  hastsim determinism
  hastsim determinism --seeds 50 --from 4711 --profile nightly`,
    )
    .action((options: DeterminismOptions) => determinism(options, terminal));
}

export async function determinism(
  options: DeterminismOptions,
  terminal: Terminal,
  simulator = SIMULATOR,
): Promise<void> {
  await new Determinism(options, terminal, simulator).run();
}

class Determinism {
  readonly #options: DeterminismOptions;
  readonly #terminal: Terminal;
  readonly #simulator: string;
  readonly #children = new Set<ChildProcess>();
  readonly #hashes = new Map(ENGINES.map(({ name }) => [name, new Map<number, string>()]));
  #stopped = false;

  constructor(options: DeterminismOptions, terminal: Terminal, simulator: string) {
    this.#options = options;
    this.#terminal = terminal;
    this.#simulator = simulator;
  }

  async run(): Promise<void> {
    const endProgress = showProgress(this.#terminal, () => this.#progress());
    let interrupted: boolean;
    try {
      interrupted = await this.#terminal.interruptible(this.#runAll(), () => {
        this.#stopped = true;
        for (const child of this.#children) child.kill();
      });
    } finally {
      endProgress();
    }
    const { compared, different } = this.#compare();
    const mismatches: Mismatch[] = [];
    for (const [index, seed] of different.entries()) {
      const first = index < TOLD && !interrupted ? await this.#firstDifference(seed) : null;
      mismatches.push({ seed, hashes: this.#hashesOf(seed), first });
    }
    if (mismatches.length > 0) this.#terminal.exitCode = 1;
    if (this.#options.json) {
      this.#terminal.print(
        JSON.stringify({
          seeds: compared,
          mismatches: mismatches.length,
          different: mismatches,
          interrupted,
        }),
      );
      return;
    }
    for (const mismatch of mismatches) this.#tell(mismatch);
    this.#terminal.print(`${counted(compared, 'seed')} compared, ${String(mismatches.length)} mismatches`);
  }

  /** Each engine does each part of the seeds, so many processes at a time; the slow engine begins. */
  async #runAll(): Promise<void> {
    const { seeds, from, jobs } = this.#options;
    const plans: (readonly [Engine, DeterminismPlan])[] = [];
    for (const engine of [...ENGINES].reverse()) {
      for (let part = 0; part < jobs; part++) {
        const begin = Math.floor((seeds * part) / jobs);
        const count = Math.floor((seeds * (part + 1)) / jobs) - begin;
        if (count > 0) plans.push([engine, this.#plan(engine, from + begin, count, false)]);
      }
    }
    const next = async (): Promise<void> => {
      for (let todo = plans.shift(); todo !== undefined && !this.#stopped; todo = plans.shift()) {
        const [engine, plan] = todo;
        await this.#child(engine, plan, (line) => {
          const [seed, hash] = line.split(' ');
          this.#hashes.get(engine.name)?.set(Number(seed), hash ?? '');
        });
      }
    };
    await Promise.all(Array.from({ length: jobs }, next));
  }

  #plan({ backwards }: Engine, first: number, count: number, trace: boolean): DeterminismPlan {
    const choice = choiceOf(this.#options, []);
    return { simulator: this.#simulator, choice, first, count, backwards, trace };
  }

  /** Runs one process. Rejects when it fails by itself. */
  async #child(
    { name, flags }: Engine,
    plan: DeterminismPlan,
    onLine: (line: string) => void,
  ): Promise<void> {
    const job = fileURLToPath(new URL('./determinism-job.js', import.meta.url));
    const child = spawn(process.execPath, [...flags, job, JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    for await (const line of createInterface({ input: child.stdout })) onLine(line);
    const status = await ended;
    this.#children.delete(child);
    if (status === 0 || this.#stopped) return;
    this.#stopped = true;
    for (const other of this.#children) other.kill();
    throw new Failure(EX_SOFTWARE, `The process with ${name} settings failed: ${complaint.trim()}`);
  }

  #compare(): { readonly compared: number; readonly different: readonly number[] } {
    const [one, other] = ENGINES.map(({ name }) => this.#hashes.get(name) ?? new Map<number, string>());
    const both = [...(one ?? [])].filter(([seed]) => other?.has(seed));
    const different = both.filter(([seed, hash]) => other?.get(seed) !== hash).map(([seed]) => seed);
    return { compared: both.length, different: different.sort((a, b) => a - b) };
  }

  #hashesOf(seed: number): Readonly<Record<string, string>> {
    return Object.fromEntries(ENGINES.map(({ name }) => [name, this.#hashes.get(name)?.get(seed) ?? '']));
  }

  async #firstDifference(seed: number): Promise<Mismatch['first']> {
    const [one, other] = await Promise.all(
      ENGINES.map(async (engine) => {
        const lines: string[] = [];
        await this.#child(engine, this.#plan(engine, seed, 1, true), (line) => lines.push(line));
        return lines;
      }),
    );
    const length = Math.max(one?.length ?? 0, other?.length ?? 0);
    for (let i = 0; i < length; i++) {
      if (one?.[i] === other?.[i]) continue;
      const at = (lines: readonly string[] | undefined): string => lines?.[i] ?? 'nothing more';
      return { [ENGINES[0].name]: at(one), [ENGINES[1].name]: at(other) };
    }
    return null;
  }

  #progress(): string {
    let done = 0;
    for (const hashes of this.#hashes.values()) done += hashes.size;
    const all = this.#options.seeds * ENGINES.length;
    return `${bar(done / all)}  ${String(done)} of ${counted(all, 'run')}`;
  }

  #tell({ seed, hashes, first }: Mismatch): void {
    this.#terminal.print(`seed ${String(seed)} differs`);
    for (const { name } of ENGINES) this.#terminal.print(`  ${name}: ${hashes[name] ?? ''}`);
    if (first === null) {
      this.#terminal.print(
        '  run alone, it has the same events: something is carried over from the seeds before it',
      );
      return;
    }
    this.#terminal.print('  the first event that differs:');
    for (const { name } of ENGINES) this.#terminal.print(`    ${name}: ${first[name] ?? ''}`);
  }
}
