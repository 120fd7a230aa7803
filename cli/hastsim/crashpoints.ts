/** `hastsim crashpoints`: ends nodes at every point of a script at which it matters. */
import { Argument, Command, Option } from 'commander';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import { CRASH_SCRIPTS } from '../../sim/tools/crash-scripts.js';
import { CRASHES, runCrashPoint } from '../../sim/tools/crashpoints.js';
import type { RunResult, Violation } from '../../sim/world/result.js';
import { assert } from '../../core/base/assert.js';
import { EX_DATAERR } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { asOption, choiceArguments, choiceOf, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { commitName } from './commit.js';
import { crashesOf } from './crashes.js';
import type { CrashItem, CrashPlan, NamedScript } from './crashes.js';
import type { CrashReport } from './crashpoints-job.js';
import { jobsOption, jsonOption, parseCount } from './options.js';
import { Pool } from './pool.js';
import { bar, showProgress } from './progress.js';
import { SIMULATOR } from './simulator-port.js';
import type { Simulator, SimulatorModule } from './simulator-port.js';
import { commandLine, parseSubject, readScript } from './subject.js';
import { Tally } from './tally.js';
import type { Terminal } from './terminal.js';
import { counted, indented, traceLine, violationText } from './text.js';

export interface CrashpointsOptions extends ChoiceOptions {
  readonly jobs: number;
  readonly at?: number;
  readonly crash?: string;
  readonly json: boolean;
}

const ITEM_LIMIT_MS = 60_000;
const BUILT_IN = Object.keys(CRASH_SCRIPTS);
/** More of them are counted only. */
const TOLD = 20;

interface Failing {
  readonly item: CrashItem;
  readonly violation: Violation;
}

export function crashpointsCommand(terminal: Terminal): Command {
  return new Command('crashpoints')
    .description(
      'End nodes right before and right after each write and flush of a disk and each message, in a script; ' +
        'exit with 1 when something does not come right again.',
    )
    .addArgument(
      new Argument('[script...]', `files, seeds, or of the built-in ones: ${BUILT_IN.join(', ')}`).default(
        BUILT_IN,
        'the built-in ones',
      ),
    )
    .addOption(jobsOption())
    .option('--at <event>', 'only the crash point after so many events', parseCount)
    .addOption(
      new Option(
        '--crash <what>',
        'only one kind of crash; with --at, print everything that happens',
      ).choices(CRASHES.map(({ name }) => name)),
    )
    .addOption(profileOption())
    .addOption(asOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Points are those after the last \`until\` of the script: what comes before leads there.

Examples:
  hastsim crashpoints
  hastsim crashpoints failback test/scenarios/life-08-failback.hast
  hastsim crashpoints failback --at 1234 --crash 'power of a'`,
    )
    .action(async (names: readonly string[], options: CrashpointsOptions) => {
      await crashpoints(names, options, terminal);
    });
}

/** Returns what it found, as `--json` prints it. */
export async function crashpoints(
  names: readonly string[],
  options: CrashpointsOptions,
  terminal: Terminal,
): Promise<CrashSummary> {
  return new Crashpoints(options, terminal).run(names);
}

export interface CrashSummary {
  readonly scripts: number;
  readonly points: number;
  readonly runs: number;
  readonly failures: number;
  readonly seconds: number;
}

class Crashpoints {
  readonly #options: CrashpointsOptions;
  readonly #terminal: Terminal;
  readonly #failing: Failing[] = [];
  readonly #tally = new Tally([]);
  readonly #commit = commitName();
  #items: readonly CrashItem[] = [];

  constructor(options: CrashpointsOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  async run(names: readonly string[]): Promise<CrashSummary> {
    const { openSimulator } = (await import(SIMULATOR)) as SimulatorModule;
    const read = names.map((name) => ({ name, ...scriptNamed(name) }));
    const choice = choiceOf(
      this.#options,
      read.flatMap(({ script }) => (script === null ? [] : [script])),
    );
    const simulator = await openSimulator(choice);
    const scripts = read.map(({ name, script, seed }): NamedScript => {
      return { name, script: script === null ? simulator.generate(seed) : simulator.played(script) };
    });
    const { at = null, crash = null } = this.#options;
    const plan: CrashPlan = { simulator: SIMULATOR, choice, scripts, at, crash };
    this.#items = crashesOf(plan, { cores: simulator.cores });
    if (this.#items.length === 0)
      throw new Failure(
        EX_DATAERR,
        'There is no such crash point: they come after the last `until` of a script.',
      );
    if (at !== null && crash !== null) this.#replay(simulator);
    else await this.#strike(plan);
    return this.#end(scripts.length);
  }

  /** In words. */
  #replay({ cores }: Simulator): void {
    for (const item of this.#items) {
      const tracer = (atMs: number, text: string): void => {
        this.#terminal.print(traceLine(atMs, text));
      };
      this.#ran(item, runCrashPoint(item.script, item.point, item.crash, { cores, tracer }));
    }
  }

  async #strike(plan: CrashPlan): Promise<void> {
    const pool = new Pool<CrashReport>({
      module: new URL('./crashpoints-job.js', import.meta.url),
      data: plan,
      count: this.#items.length,
      jobs: this.#options.jobs,
      itemLimitMs: ITEM_LIMIT_MS,
      onReport: ({ item, result }) => {
        this.#ran(this.#item(item), result);
      },
      onDeath: (item, why) => {
        const text = `the simulator did not survive it: ${why}`;
        this.#failed({
          item: this.#item(item),
          violation: { invariant: 'crash', text, atMs: 0, step: 0, block: null },
        });
      },
    });
    const endProgress = showProgress(this.#terminal, () => this.#progress());
    try {
      await this.#terminal.interruptible(pool.run(), () => {
        pool.stop();
      });
    } finally {
      endProgress();
    }
  }

  #item(index: number): CrashItem {
    const item = this.#items[index];
    assert(item !== undefined, 'an item of the list');
    return item;
  }

  #ran(item: CrashItem, result: RunResult): void {
    this.#tally.add(result);
    const [violation] = result.violations;
    if (violation !== undefined) this.#failed({ item, violation });
  }

  #failed(failing: Failing): void {
    this.#failing.push(failing);
    this.#terminal.exitCode = 1;
    if (this.#failing.length > TOLD || this.#options.json) return;
    const { item, violation } = failing;
    this.#terminal.print(`${item.name}: ${item.crash.name} ends ${item.point.what}`);
    this.#terminal.print(indented(violationText(violation), '  '));
    this.#terminal.print(`  commit: ${this.#commit}`);
    this.#terminal.print(`  again:  ${this.#again(item)}`);
  }

  #again({ name, point, crash }: CrashItem): string {
    const choice = choiceArguments(this.#options, 'seed');
    return commandLine('crashpoints', name, '--at', String(point.events), '--crash', crash.name, ...choice);
  }

  #progress(): string {
    const { seeds, seedsPerSecond } = this.#tally;
    return [
      bar(seeds / this.#items.length),
      `${String(seeds)} of ${counted(this.#items.length, 'crash', 'crashes')}`,
      `${seedsPerSecond.toFixed(0)}/s`,
      counted(this.#failing.length, 'failure'),
    ].join('  ');
  }

  #end(scripts: number): CrashSummary {
    const { seeds: runs, seconds } = this.#tally;
    const points = new Set(this.#items.map(({ name, point }) => `${name} ${String(point.events)}`)).size;
    const failures = this.#failing.length;
    const summary = { scripts, points, runs, failures, seconds };
    if (this.#options.json) {
      const failing = this.#failing.map(({ item, violation }) => ({
        script: item.name,
        at: item.point.events,
        what: item.point.what,
        crash: item.crash.name,
        ...violation,
        replay: this.#again(item),
      }));
      this.#terminal.print(JSON.stringify({ ...summary, failing, commit: this.#commit }));
      return summary;
    }
    this.#terminal.print(
      `${counted(scripts, 'script')}, ${counted(points, 'crash point')}, ${counted(runs, 'run')} in ` +
        `${seconds.toFixed(1)} s: ${(runs / seconds).toFixed(0)} runs/s`,
    );
    if (failures > TOLD) this.#terminal.print(`${String(failures - TOLD)} more failures are not shown`);
    this.#terminal.print(counted(failures, 'failure'));
    return summary;
  }
}

/** A built-in script, that of a file, or a seed's, which is not known yet. */
function scriptNamed(name: string): { readonly script: NamedScript['script'] | null; readonly seed: number } {
  const builtIn = CRASH_SCRIPTS[name];
  if (builtIn !== undefined) {
    const script = parseScript(builtIn, name);
    assert(!isScriptError(script), `the script ${name}`);
    return { script, seed: 0 };
  }
  const subject = parseSubject(name);
  return subject.kind === 'seed'
    ? { script: null, seed: subject.seed }
    : { script: readScript(subject.path), seed: 0 };
}
