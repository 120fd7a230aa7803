/** Looks for one mutant, in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Mutant } from '../../sim/faults/mutant.js';
import type { MutantMessage, MutantTask } from './mutants-child.js';

const CHILD = fileURLToPath(new URL('./mutants-child.js', import.meta.url));
/** A run takes milliseconds. */
const RUN_LIMIT_MS = 30_000;
/** What a process has to say when it dies fits in there. */
const ERROR_CHARACTERS = 2000;

export interface MutantRun {
  readonly mutant: Mutant;
  readonly killed: boolean;
  /** The seed that killed it, and how many were run until then. */
  readonly seed: number | null;
  readonly seedsNeeded: number | null;
  readonly profile: string;
  /** `hang` when a run did not end, `death` when the process did not survive it. */
  readonly invariant: string | null;
  /** What was found, in words. */
  readonly text: string | null;
  /** The shortest script known. */
  readonly script: string | null;
  /** Lines of the script, without comments. */
  readonly shrunkLines: number | null;
  /** With making it short. */
  readonly seconds: number;
}

/** A search under way. */
export class MutantSearch {
  readonly #mutant: Mutant;
  readonly #task: MutantTask;
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  #heardMs = performance.now();
  #seed: number;
  #end: Exclude<MutantMessage, { kind: 'at' | 'shrunk' }> | null = null;
  #script: string | null = null;
  #hung = false;
  #errors = '';

  constructor(mutant: Mutant, task: MutantTask) {
    this.#mutant = mutant;
    this.#task = task;
    this.#seed = task.from;
    this.#child = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(0, ERROR_CHARACTERS);
    });
    this.#child.on('message', (message: MutantMessage) => {
      this.#heard(message);
    });
    this.#child.send(task);
  }

  get id(): string {
    return this.#mutant.id;
  }

  /** Resolves when the process has ended, in whatever way. */
  async run(): Promise<MutantRun> {
    const watch = setInterval(() => {
      if (performance.now() - this.#heardMs > RUN_LIMIT_MS) this.#hangs();
    }, 1000);
    await new Promise((resolve) => this.#child.once('close', resolve));
    clearInterval(watch);
    return this.#result();
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #hangs(): void {
    this.#hung = true;
    this.stop();
  }

  #heard(message: MutantMessage): void {
    this.#heardMs = performance.now();
    if (message.kind === 'at') this.#seed = message.seed;
    else if (message.kind === 'shrunk') this.#script = message.script;
    else this.#end = message;
  }

  #result(): MutantRun {
    const killed = this.#end?.kind !== 'survived';
    const script = this.#script;
    return {
      mutant: this.#mutant,
      killed,
      seed: killed ? this.#seed : null,
      seedsNeeded: killed ? this.#seed - this.#task.from + 1 : null,
      profile: this.#task.profile,
      ...this.#found(),
      script,
      shrunkLines: script === null ? null : script.split('\n').filter((line) => /^[^#]/.test(line)).length,
      seconds: Math.round(performance.now() - this.#startedMs) / 1000,
    };
  }

  #found(): { readonly invariant: string | null; readonly text: string | null } {
    if (this.#end?.kind === 'survived') return { invariant: null, text: null };
    if (this.#end?.kind === 'killed') {
      const { invariant, text } = this.#end.violation;
      return { invariant, text };
    }
    if (this.#hung) return { invariant: 'hang', text: 'the run does not end' };
    return { invariant: 'death', text: this.#errors.trim() };
  }
}
