/**
 * A history that is being written: its steps so far, and what the operator has in mind, so that the next act makes sense: who
 * should be primary, and whether anybody is. What really happens is not known here: a script has no ifs.
 */
import { Random } from '../random.js';
import {
  otherNode,
  type Action,
  type Condition,
  type NodeName,
  type Request,
  type Setup,
  type Step,
} from '../script/script.js';
import { logUniform, pick } from './chance.js';
import { Workload } from './workload.js';

/** After so many requests time to answer them: what dies in flight with its node proves nothing. */
const IN_FLIGHT = 24;

/** Longer than a node needs to restart its worker, and to find its peer again. */
const PATIENCE_MS = 30_000;

export class Draft {
  readonly setup: Setup;
  readonly steps: Step[] = [];
  /** What the present act draws from. */
  random: Random;
  /** Whom the operator wants to be primary. */
  primary: NodeName = 'a';
  requests = 0;
  faults = 0;
  /** An act may issue so many requests; it shares them out. */
  budget = 0;
  readonly #workload: Workload;
  #workloadRandom: Random;
  #delayMs = 0;

  constructor(setup: Setup) {
    const { seed } = setup;
    this.setup = setup;
    this.#workload = new Workload(new Random(seed, 'habits'), setup);
    this.random = new Random(seed, 'nemesis');
    this.#workloadRandom = new Random(seed, 'workload');
  }

  /** Each act has streams of its own: another act before it does not shift what it draws. */
  beginAct(name: string, budget: number): void {
    this.random = new Random(this.setup.seed, `nemesis ${name}`);
    this.#workloadRandom = new Random(this.setup.seed, `workload ${name}`);
    this.budget = budget;
  }

  get secondary(): NodeName {
    return otherNode(this.primary);
  }

  /** The block around which much happens. */
  get hotSpot(): number {
    return this.#workload.hotSpot;
  }

  /** Either of the nodes. */
  get someNode(): NodeName {
    return this.random.chance(1, 2) ? 'a' : 'b';
  }

  chance(numerator: number, denominator: number): boolean {
    return this.random.chance(numerator, denominator);
  }

  pick<T>(choices: readonly T[]): T {
    return pick(this.random, choices);
  }

  /** Lets time pass before the next step. */
  wait(ms: number): void {
    this.#delayMs += ms;
  }

  /** Any duration from `least` to `most`, short ones as likely as long ones. */
  waitAbout(least: number, most: number): void {
    this.wait(logUniform(this.random, least, most));
  }

  take(action: Action): void {
    const ms = Math.round(this.#delayMs * 1000) / 1000;
    this.#delayMs = 0;
    this.steps.push({ when: { kind: 'after', ms }, action });
  }

  /** Something breaks. */
  fault(action: Action): void {
    this.faults++;
    this.take(action);
  }

  /** No longer than `withinMs`: in a history of faults it may never come to hold. */
  until(condition: Condition, withinMs = PATIENCE_MS): void {
    this.take({ kind: 'await', condition, withinMs });
  }

  untilDevice(withinMs = PATIENCE_MS): void {
    this.until({ kind: 'device', node: null, present: true }, withinMs);
  }

  /** A new primary keeps its application waiting while its peer does not answer. */
  untilIdle(): void {
    this.until({ kind: 'idle' }, 8_000);
  }

  untilInSync(): void {
    this.until({ kind: 'in-sync' }, 2 * PATIENCE_MS);
  }

  role(node: NodeName, role: 'primary' | 'secondary' | 'init', force = false): void {
    this.take({ kind: 'role', node, role, force });
    if (role === 'primary') this.primary = node;
  }

  /** Both nodes are told what they should be; nothing happens where they are. */
  reassert(): void {
    this.role(this.secondary, 'secondary');
    this.role(this.primary, 'primary');
  }

  /** `count` requests, to the device of `node` or to whichever there is. */
  load(count: number, node: NodeName | null = null): void {
    for (let left = count; left > 0; left--) {
      if (left % IN_FLIGHT === 0) this.wait(logUniform(this.#workloadRandom, 8, 64));
      this.wait(this.#workload.gapMs(this.#workloadRandom));
      this.take({ kind: 'request', node, request: this.#workload.next(this.#workloadRandom) });
    }
    this.requests += count;
    this.budget -= count;
  }

  /** One request of the act's own, whatever the application's habits are. */
  ask(request: Request): void {
    this.take({ kind: 'request', node: null, request });
    this.requests++;
    this.budget--;
  }

  /** Some of what the act has left: most of it, or a few, or nothing. */
  loadSome(node: NodeName | null = null): void {
    this.load(this.random.below(Math.max(0, this.budget) + 1), node);
  }

  /** While nobody may be there to answer. */
  loadFew(node: NodeName | null = null): void {
    this.load(this.random.below(Math.min(8, Math.max(0, this.budget)) + 1), node);
  }

  /** The moment after the last request at which something breaks. */
  instant(): void {
    this.waitAbout(0.016, 16);
  }
}
