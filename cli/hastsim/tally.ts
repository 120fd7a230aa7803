/** What a search has seen so far, in numbers. */
import type { RunResult } from '../../sim/world/result.js';
import { counted, rate } from './text.js';

export interface TallySummary {
  readonly seeds: number;
  readonly excused: number;
  readonly vacuous: number;
  readonly seconds: number;
  /** Of all threads together. */
  readonly scenariosPerSecond: number;
  readonly eventsPerSecond: number;
  readonly requestsPerScenario: number;
  readonly eventsPerScenario: number;
  readonly faultsPerScenario: number;
  /** In how many seeds each was reached. */
  readonly marks: Readonly<Record<string, number>>;
}

export class Tally {
  readonly #beganMs = performance.now();
  readonly #marks: Map<string, number>;
  seeds = 0;
  #events = 0;
  #requests = 0;
  #faults = 0;
  #excused = 0;
  #vacuous = 0;

  /** `marks`: those that can be reached. */
  constructor(marks: readonly string[]) {
    this.#marks = new Map(marks.map((mark) => [mark, 0]));
  }

  add(result: RunResult): void {
    this.seeds += 1;
    this.#events += result.events;
    this.#requests += result.requests.issued;
    this.#faults += result.faults;
    if (result.excused !== null) this.#excused += 1;
    if (result.vacuous) this.#vacuous += 1;
    for (const mark of result.marks) this.#marks.set(mark, (this.#marks.get(mark) ?? 0) + 1);
  }

  get seconds(): number {
    return (performance.now() - this.#beganMs) / 1000;
  }

  get seedsPerSecond(): number {
    return this.seeds / this.seconds;
  }

  /** `37/61`: reached, of all. */
  get marksReached(): string {
    return `${String(this.#marks.size - this.#missed().length)}/${String(this.#marks.size)}`;
  }

  /** What other programs read. */
  summary(): TallySummary {
    const { seeds, seconds } = this;
    return {
      seeds,
      excused: this.#excused,
      vacuous: this.#vacuous,
      seconds: rounded(seconds),
      scenariosPerSecond: rounded(seeds / seconds),
      eventsPerSecond: Math.round(this.#events / seconds),
      requestsPerScenario: rounded(this.#mean(this.#requests)),
      eventsPerScenario: rounded(this.#mean(this.#events)),
      faultsPerScenario: rounded(this.#mean(this.#faults)),
      marks: Object.fromEntries([...this.#marks].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }

  /** The same for people. */
  lines(): readonly string[] {
    const { seeds, seconds } = this;
    const missed = this.#missed();
    const idle = this.#excused + this.#vacuous;
    return [
      `${counted(seeds, 'scenario')} in ${seconds.toFixed(1)} s: ${rate(seeds / seconds)} scenarios/s, ` +
        `${rate(this.#events / seconds)} events/s`,
      `each ${this.#mean(this.#requests).toFixed(0)} requests, ${this.#mean(this.#events).toFixed(0)} events and ` +
        `${this.#mean(this.#faults).toFixed(1)} faults; ${String(this.#excused)} excused and ` +
        `${String(this.#vacuous)} vacuous (${(this.#mean(idle) * 100).toFixed(2)} %)`,
      `marks: ${this.marksReached} reached${missed.length === 0 ? '' : `; never: ${missed.join(', ')}`}`,
    ];
  }

  #missed(): readonly string[] {
    return [...this.#marks].filter(([, times]) => times === 0).map(([mark]) => mark);
  }

  #mean(sum: number): number {
    return this.seeds === 0 ? 0 : sum / this.seeds;
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
