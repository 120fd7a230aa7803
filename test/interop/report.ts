/**
 * What the interop suite found: cases passed and failed, by kind. A case compares recorded values of the reference
 * with ours, field by field; a rule of `differences.ts` may say what ours must be instead.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Difference } from './differences.js';

export class Report {
  readonly kind: string;
  readonly #rules: readonly Difference[];
  readonly #usedRules = new Set<Difference>();
  readonly #cases = new Map<string, Case>();

  constructor(kind: string, differences: readonly Difference[]) {
    this.kind = kind;
    this.#rules = differences.filter((rule) => rule.kind === kind);
  }

  /** Opens a case; its name is unique within the kind. It counts as failed until something was compared. */
  case(name: string): Case {
    const opened = new Case(name, this.#rules, this.#usedRules);
    if (this.#cases.has(name)) opened.fail('two cases have this name');
    this.#cases.set(name, opened);
    return opened;
  }

  get passed(): number {
    return [...this.#cases.values()].filter((each) => each.problems().length === 0).length;
  }

  get failed(): number {
    return this.failedCases + this.#suiteProblems().length;
  }

  /** Without rules that no case needed: for part of a run. */
  get failedCases(): number {
    return this.#cases.size - this.passed;
  }

  /** One line for everything that is wrong, each naming its case. */
  failures(): string[] {
    const inCases = [...this.#cases.values()].flatMap((each) =>
      each.problems().map((problem) => `${this.kind}: ${each.name}: ${problem}`),
    );
    return [...inCases, ...this.#suiteProblems().map((problem) => `${this.kind}: ${problem}`)];
  }

  #suiteProblems(): string[] {
    const unused = this.#rules
      .filter((rule) => !this.#usedRules.has(rule))
      .map(
        (rule) => `the difference '${rule.case}', ${rule.field} (${rule.because}) is not needed by any case`,
      );
    return this.#cases.size === 0 ? ['no recordings found', ...unused] : unused;
  }
}

export class Case {
  readonly name: string;
  readonly #rules: readonly Difference[];
  readonly #usedRules: Set<Difference>;
  readonly #problems: string[] = [];
  #compared = 0;

  constructor(name: string, rules: readonly Difference[], usedRules: Set<Difference>) {
    this.name = name;
    this.#rules = rules;
    this.#usedRules = usedRules;
  }

  /** Compares deeply. With a rule for this case and field, ours must be what the rule makes of the recorded value. */
  same(field: string, recorded: unknown, ours: unknown): void {
    this.#compared++;
    const rule = this.#rules.find((each) => each.field === field && matches(each.case, this.name));
    const wanted = rule === undefined ? recorded : rule.ours(recorded);
    // A rule that changes nothing is not used, so that it fails the run.
    if (rule !== undefined && !isDeepStrictEqual(wanted, recorded)) this.#usedRules.add(rule);
    if (!isDeepStrictEqual(ours, wanted))
      this.fail(
        `${field}: ours ${show(ours)}, ${rule === undefined ? 'recorded' : rule.because} ${show(wanted)}`,
      );
  }

  fail(problem: string): void {
    this.#problems.push(problem);
  }

  problems(): readonly string[] {
    return this.#problems.length === 0 && this.#compared === 0 ? ['nothing was compared'] : this.#problems;
  }
}

function matches(pattern: string | RegExp, name: string): boolean {
  return typeof pattern === 'string' ? pattern === name : pattern.test(name);
}

function show(value: unknown): string {
  const text =
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)) ??
    'undefined';
  return text.length > 400 ? `${text.slice(0, 400)}... (${text.length} characters)` : text;
}
