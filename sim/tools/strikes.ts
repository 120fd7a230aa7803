/**
 * Strikes between two events of a run: what a script cannot say, since its steps come at times. Crash points are such strikes,
 * and so is what exploration does to a world.
 */
import type { Action, NodeName, Script } from '../script/script.js';
import { perform } from '../world/actions.js';
import type { RunResult } from '../world/result.js';
import { World, type RunOptions } from '../world/world.js';

export interface Strike {
  /** When so many events have happened. */
  readonly events: number;
  readonly actions: readonly Action[];
  /** Before the event after the next. */
  readonly undo: readonly Action[];
}

/** Runs the script with these strikes, in the order of time. */
export function runStruck(script: Script, strikes: readonly Strike[], options: RunOptions = {}): RunResult {
  const world = new World(script.setup, options);
  const striker = new Striker(world, strikes);
  const strike = (): void => {
    striker.strike();
  };
  world.scheduler.beforeEvent = strike;
  return world.run(script.steps);
}

/** Does to a world what it is time for. */
export class Striker {
  readonly #world: World;
  readonly #struck: (action: Action) => void;
  /** The next one last. */
  readonly #left: Strike[];
  #undo: readonly Action[] = [];

  /** `struck` is told of every action before it is done. */
  constructor(world: World, strikes: readonly Strike[], struck: (action: Action) => void = () => undefined) {
    this.#world = world;
    this.#struck = struck;
    this.#left = strikes.toReversed();
  }

  /** Nothing is to be done any more. */
  get isDone(): boolean {
    return this.#left.length === 0 && this.#undo.length === 0;
  }

  /** To be called before every event. */
  strike(): void {
    if (this.isDone) return;
    const { events } = this.#world.scheduler;
    this.#perform(this.#undo);
    this.#undo = [];
    for (
      let next = this.#left.at(-1);
      next !== undefined && next.events <= events;
      next = this.#left.at(-1)
    ) {
      this.#left.pop();
      this.#perform(next.actions);
      this.#undo = [...this.#undo, ...next.undo];
    }
  }

  #perform(actions: readonly Action[]): void {
    for (const action of actions) {
      this.#struck(action);
      perform(this.#world, action);
      this.#world.weather.acted(action);
    }
  }
}

/** What ends a node, the mildest first. */
export function endsOf(node: NodeName): readonly Action[] {
  return [
    { kind: 'kill', node, what: 'worker' },
    { kind: 'kill', node, what: 'all' },
    { kind: 'power', node, on: false },
  ];
}
