/**
 * Makes a failing history short enough to be read: steps are taken out in chunks, then one by one, then in pairs (delta
 * debugging); what is left is made simpler. Every guess is run, and kept only when the same invariant still fails. Races
 * depend on the seed, which draws other delays for every other script: once the easy chunks are gone, a guess is tried with
 * a few seeds.
 */
import { DEFAULT_SETUP, type Action, type Script, type Step } from '../script/script.js';
import type { Violation } from '../world/result.js';
import { rounderTimes, simplerActions, simplerSetups, simplerWhens } from './simpler.js';
import { blocksOf, isRequest, mapBlocks, withoutSteps, withStep, type RemovedTime } from './steps.js';

/** Runs a candidate; the violation it is about, or null. */
export type Fails = (candidate: Script) => Violation | null;

export interface Budget {
  /** How many candidates may be run. */
  readonly runs: number;
}

export interface Shrunk {
  readonly script: Script;
  readonly violation: Violation;
  /** How many candidates were run. */
  readonly runs: number;
}

/** Scripts this short are simplified step by step. */
const FEW_STEPS = 40;
/** Scripts this short are tried without each pair of steps. */
const PAIRED_STEPS = 24;
/** More seeds are not tried for one guess. */
const MAX_SEEDS = 20;
const SIMPLER_SEEDS = 4;
/** How many guesses all chunks of one size are worth. */
const MAX_GUESSES = 800;

/** The shortest script found that breaks the same invariant as `script` does; null when that breaks none. */
export function shrink(script: Script, fails: Fails, budget: Budget): Shrunk | null {
  const violation = fails(script);
  return violation === null ? null : new Shrinker(script, violation, fails, budget.runs).shrink();
}

class Shrinker {
  #script: Script;
  #violation: Violation;
  #runs = 1;
  /** How many candidates took the place of the one before. */
  #accepted = 0;
  /** How many other seeds a guess is worth. */
  #seeds = 0;
  readonly #cause: string;
  readonly #fails: Fails;
  readonly #budget: number;
  /** What became of the candidates that were run. */
  readonly #known = new Map<string, Violation | null>();

  constructor(script: Script, violation: Violation, fails: Fails, budget: number) {
    this.#script = script;
    this.#violation = violation;
    this.#cause = causeOf(violation);
    this.#fails = fails;
    this.#budget = budget;
  }

  shrink(): Shrunk {
    this.#removeTail();
    this.#failEarlier();
    this.#removeOtherBlocks();
    this.#removeChunks(isRequest, 'kept');
    this.#removeChunks(() => true, 'kept');
    this.#simplifySetup();
    this.#shortenTogether();
    // Each pass may make room for the others.
    for (let before = -1; before !== this.#accepted && this.#runs < this.#budget;) {
      before = this.#accepted;
      this.#round();
    }
    this.#simplifySeed();
    return { script: this.#script, violation: this.#violation, runs: this.#runs };
  }

  #round(): void {
    this.#failEarlier();
    this.#removeOtherBlocks();
    this.#removeChunks(() => true, 'kept');
    this.#removeChunks(() => true, 'dropped');
    this.#removePairs();
    this.#simplifySteps();
    this.#simplifyBlocks();
    this.#simplifySetup();
  }

  get #steps(): readonly Step[] {
    return this.#script.steps;
  }

  /** Runs the candidate, and goes on from it when it fails for the same cause. */
  #accepts(candidate: Script): boolean {
    const violation = this.#run(candidate);
    if (violation === null) return false;
    this.#goOn(candidate, violation);
    this.#removeTail();
    return true;
  }

  /** The violation when it has the same cause; null, too, when there are no runs left. */
  #run(candidate: Script): Violation | null {
    const key = JSON.stringify(candidate);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#runs >= this.#budget) return null;
    this.#runs++;
    const violation = this.#fails(candidate);
    const same = violation !== null && causeOf(violation) === this.#cause ? violation : null;
    this.#known.set(key, same);
    return same;
  }

  #goOn(script: Script, violation: Violation): void {
    this.#script = script;
    this.#violation = violation;
    this.#accepted++;
  }

  /** Tries the seed of the script, then up to `seeds` others. */
  #acceptsSteps(steps: readonly Step[], seeds = 0): boolean {
    // The time of the last step cannot be kept without a step.
    if (isSame(steps, this.#steps)) return false;
    return this.#acceptsSeeds({ ...this.#script, steps }, seeds);
  }

  #acceptsSeeds(candidate: Script, seeds: number): boolean {
    if (this.#accepts(candidate)) return true;
    for (let seed = 1; seed <= seeds; seed++) if (this.#accepts(withSeed(candidate, seed))) return true;
    return false;
  }

  /** A guess that makes nothing shorter is worth less. */
  #acceptsSimpler(candidate: Script): boolean {
    return this.#acceptsSeeds(candidate, Math.min(this.#seeds, SIMPLER_SEEDS));
  }

  /** Nothing after the violation matters, if it does not come with the end of the script. */
  #removeTail(): void {
    const steps = this.#steps.slice(0, this.#violation.step + 1);
    if (steps.length === this.#steps.length) return;
    const shorter = { ...this.#script, steps };
    const violation = this.#run(shorter);
    if (violation !== null) this.#goOn(shorter, violation);
  }

  /** Tries other seeds: one may fail before the script has come far. How many fail tells how many a guess is worth. */
  #failEarlier(): void {
    let failed = 1;
    for (let seed = 1; seed <= MAX_SEEDS; seed++) {
      const script = withSeed(this.#script, seed);
      const violation = this.#run(script);
      if (violation === null) continue;
      failed++;
      if (violation.step >= this.#violation.step) continue;
      this.#goOn(script, violation);
      this.#removeTail();
    }
    this.#seeds = Math.floor(MAX_SEEDS / failed);
  }

  /** Requests that do not touch the block it is about. */
  #removeOtherBlocks(): void {
    const { block } = this.#violation;
    if (block === null) return;
    const others = this.#steps.flatMap(({ action }, index) => (misses(action, block) ? [index] : []));
    this.#acceptsSteps(withoutSteps(this.#steps, new Set(others), 'kept'), this.#seeds);
  }

  /**
   * From the end, since what came last is most often the consequence; all first, single steps last. Where many seeds must be
   * tried, small chunks have to wait until the script is shorter.
   */
  #removeChunks(candidate: (step: Step) => boolean, time: RemovedTime): void {
    const indexes = () => this.#steps.flatMap((step, index) => (candidate(step) ? [index] : []));
    for (let size = indexes().length; size >= 1; size >>= 1) {
      if ((indexes().length / size) * (1 + this.#seeds) > MAX_GUESSES) return;
      let end = indexes().length;
      while (end > 0 && this.#runs < this.#budget) {
        const start = Math.max(0, end - size);
        const chunk = new Set(indexes().slice(start, end));
        this.#acceptsSteps(withoutSteps(this.#steps, chunk, time), this.#seeds);
        end = Math.min(start, indexes().length);
      }
    }
  }

  /** What is of no use without the other: a cut and its mending, a failure and the restart. */
  #removePairs(): void {
    if (this.#steps.length > PAIRED_STEPS) return;
    for (let second = this.#steps.length - 1; second > 0; second--) {
      for (let first = second - 1; first >= 0; first--) {
        if (second >= this.#steps.length) break;
        this.#acceptsSteps(withoutSteps(this.#steps, new Set([first, second]), 'kept'));
      }
    }
  }

  /** All times of the script at once: a step by step search through long scripts costs too much. */
  #shortenTogether(): void {
    for (const choice of [first, last]) {
      const steps = this.#steps.map((step) => {
        const ms = choice(rounderTimes(step.when.ms)) ?? step.when.ms;
        return { ...step, when: { ...step.when, ms } };
      });
      if (this.#acceptsSteps(steps)) return;
    }
  }

  #simplifySteps(): void {
    if (this.#steps.length > FEW_STEPS) return;
    for (let index = 0; index < this.#steps.length; index++) {
      while (this.#simplifyAction(index));
      this.#simplifyWhen(index);
    }
  }

  #simplifyAction(index: number): boolean {
    const step = this.#steps[index];
    if (step === undefined) return false;
    return simplerActions(step.action).some((action) =>
      this.#acceptsSimpler(withStep(this.#script, index, { ...step, action })),
    );
  }

  #simplifyWhen(index: number): void {
    const step = this.#steps[index];
    if (step === undefined) return;
    simplerWhens(step.when).some((when) =>
      this.#acceptsSimpler(withStep(this.#script, index, { ...step, when })),
    );
  }

  /** The blocks become 0, 1, ..., the same one wherever the same one was named. */
  #simplifyBlocks(): void {
    const named = () =>
      [...new Set(this.#steps.flatMap(({ action }) => blocksOf(action)))].sort((x, y) => x - y);
    if (named().length > FEW_STEPS) return;
    for (const block of named()) {
      for (let lower = 0; lower < Math.min(block, 2 + named().indexOf(block)); lower++) {
        const steps = this.#steps.map((step) => ({
          ...step,
          action: mapBlocks(step.action, (other) => (other === block ? lower : other)),
        }));
        if (this.#acceptsSimpler({ ...this.#script, steps })) break;
      }
    }
  }

  #simplifySetup(): void {
    while (simplerSetups(this.#script.setup).some((setup) => this.#accepts({ ...this.#script, setup })));
  }

  #simplifySeed(): void {
    for (let seed = DEFAULT_SETUP.seed; seed < MAX_SEEDS; seed++) {
      if (seed === this.#script.setup.seed) return;
      if (this.#accepts(withSeed(this.#script, seed))) return;
    }
  }
}

/** Two violations with the same cause are taken for one defect. Of a crash and of an expectation the words tell which. */
function causeOf({ invariant, text }: Violation): string {
  if (invariant !== 'crash' && invariant !== 'expect') return invariant;
  return `${invariant}: ${text.split('\n', 1)[0]?.replaceAll(/\d+/g, '#') ?? ''}`;
}

/** It is a request for other blocks. */
function misses(action: Action, block: number): boolean {
  if (action.kind !== 'request' || action.request.kind === 'flush') return false;
  const { block: first, count } = action.request;
  return block < first || block >= first + count;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function withSeed(script: Script, seed: number): Script {
  return { ...script, setup: { ...script.setup, seed } };
}

function first<T>(list: readonly T[]): T | undefined {
  return list[0];
}

function last<T>(list: readonly T[]): T | undefined {
  return list.at(-1);
}
