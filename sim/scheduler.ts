/**
 * Virtual time: events ordered by (time, tie, sequence), each a synchronous call. Nothing happens between two
 * events, so a run is a function of its seed, and a cancelled event neither runs nor moves the time.
 *
 * Every event goes into a rolling hash, and so does what anybody notes: two runs with the same hash were the same run.
 */
import { assert } from '../core/base/assert.js';
import { EventHeap, type EventHandler } from './event-heap.js';
import type { Random } from './random.js';
import { TieBreaker, type Ties } from './ties.js';

/** Lets an event that has not happened yet be taken back. */
export interface Scheduled {
  cancel(): void;
}

export interface SchedulerOptions {
  /** Which of the events due at the same time comes first; by default the one scheduled first. */
  readonly ties?: Ties;
  /** Where random ties come from. */
  readonly random?: Random;
}

/** A run that has not come to rest after so many events is taken for a loop. */
const MAX_EVENTS = 10_000_000;
/** Sequence numbers are below this. */
const SEQUENCES = 2 ** 32;

class Call implements EventHandler, Scheduled {
  readonly #scheduler: Scheduler;
  readonly #run: () => void;
  readonly #ticket: number;

  constructor(scheduler: Scheduler, delayMs: number, run: () => void, lane: number) {
    this.#scheduler = scheduler;
    this.#run = run;
    this.#ticket = scheduler.schedule(delayMs, this, 0, lane);
  }

  happen(): void {
    this.#run();
  }

  cancel(): void {
    this.#scheduler.cancel(this.#ticket);
  }
}

export class Scheduler {
  /** Called before every event, at the time of the one before: to end a node just here, for instance. */
  beforeEvent: (() => void) | null = null;
  /** Gets what `trace` has to say; nobody makes up texts that nobody reads. */
  tracer: ((timeMs: number, text: string) => void) | null = null;
  readonly #heap = new EventHeap();
  readonly #ties: TieBreaker;
  #nowMs = 0;
  #sequence = 0;
  #events = 0;
  #hashA = 0x243f6a88;
  #hashB = 0x13198a2e;

  constructor(options: SchedulerOptions = {}) {
    this.#ties = new TieBreaker(options.ties ?? 'sequence', options.random ?? null);
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many events have happened. */
  get events(): number {
    return this.#events;
  }

  /** Of everything that has happened and was noted: 16 hexadecimal digits. */
  get traceHash(): string {
    return hex(this.#hashA) + hex(this.#hashB);
  }

  /** A new lane: its events never overtake each other (sim/ties.ts). */
  newLane(): number {
    return this.#ties.newLane();
  }

  /** Runs `run` once, `delayMs` from now. */
  after(delayMs: number, run: () => void, lane = 0): Scheduled {
    return new Call(this, delayMs, run, lane);
  }

  /** Like `after` without making anything: `handler.happen(argument)`, a 32-bit integer. The result is for `cancel`. */
  schedule(delayMs: number, handler: EventHandler, argument = 0, lane = 0): number {
    assert(delayMs >= 0, 'an event cannot be in the past');
    const sequence = this.#sequence++;
    const timeMs = this.#nowMs + delayMs;
    const order = this.#ties.keyOf(lane, timeMs) * SEQUENCES + sequence;
    return this.#heap.push(timeMs, order, sequence, handler, argument, lane);
  }

  /** Takes back what `schedule` returned this ticket for; harmless when it has happened. */
  cancel(ticket: number): void {
    this.#heap.cancel(ticket);
  }

  /** Adds 32-bit integers to the trace hash. */
  note(code: number, a = 0, b = 0): void {
    this.#mix(code);
    this.#mix(a);
    this.#mix(b);
  }

  /** Tells the tracer, if there is one. */
  trace(text: () => string): void {
    this.tracer?.(this.#nowMs, text());
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    return this.#step(Infinity);
  }

  /** Runs until nothing is scheduled. For worlds without periodic timers: these never come to rest. */
  runUntilIdle(): void {
    let events = 0;
    while (this.#step(Infinity)) assert(++events < MAX_EVENTS, 'the world does not come to rest');
  }

  /** Runs what happens in the next `durationMs`; the time is then that much later. */
  runFor(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    while (this.#step(endMs));
    this.#nowMs = endMs;
  }

  /** Runs until `condition` holds, at most `withinMs`; false when it did not come to hold. */
  runUntil(condition: () => boolean, withinMs: number): boolean {
    const endMs = this.#nowMs + withinMs;
    while (!condition()) if (!this.#step(endMs)) return false;
    return true;
  }

  /** Runs the next event if it is due by `endMs`. */
  #step(endMs: number): boolean {
    const heap = this.#heap;
    let timeMs = heap.nextTimeMs();
    if (this.beforeEvent !== null && timeMs <= endMs && timeMs < Infinity) {
      this.beforeEvent();
      timeMs = heap.nextTimeMs();
    }
    if (timeMs > endMs || timeMs === Infinity) return false;
    const slot = heap.takeFirst();
    const handler = heap.handlerOf(slot);
    const argument = heap.argumentOf(slot);
    this.#nowMs = timeMs;
    this.#events++;
    this.#mix(timeMs * 1000);
    this.#mix(heap.sequenceOf(slot));
    this.#ties.happens(heap.laneOf(slot));
    heap.free(slot);
    handler?.happen(argument);
    return true;
  }

  /** Two words of state, each a one-to-one function of what it was: no difference is ever lost. */
  #mix(word: number): void {
    const a = this.#hashA ^ word;
    this.#hashA = Math.imul((a << 13) | (a >>> 19), 0x9e3779b1);
    const b = (this.#hashB << 17) | (this.#hashB >>> 15);
    this.#hashB = Math.imul(b ^ this.#hashA, 0x85ebca6b);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
