/**
 * A script and the strikes that broke it as one script, which can be shrunk, kept and read: each strike becomes a step at the
 * time of the event before it. That is not quite the same when other events have that time; so the result is tried.
 */
import type { Action, Script, Step } from '../script/script.js';
import type { Witness } from '../world/witness.js';
import { World, type RunOptions } from '../world/world.js';
import { Striker, type Strike } from './strikes.js';

interface Struck {
  readonly action: Action;
  readonly atMs: number;
  /** So many steps had begun. */
  readonly stepsBegun: number;
}

/** Null when no script breaks the same invariant: a strike within a step that waits, for instance. */
export function struckScript(
  script: Script,
  strikes: readonly Strike[],
  options: RunOptions = {},
): Script | null {
  const beginsMs: number[] = [];
  const struck: Struck[] = [];
  const witness: Witness = {
    step: () => {
      beginsMs.push(world.scheduler.nowMs);
    },
  };
  const world: World = new World(script.setup, { ...options, witness });
  const striker = new Striker(world, strikes, (action) => {
    struck.push({ action, atMs: world.scheduler.nowMs, stepsBegun: beginsMs.length });
  });
  const strike = (): void => {
    striker.strike();
  };
  world.scheduler.beforeEvent = strike;
  const [violation] = world.run(script.steps).violations;
  if (violation === undefined) return null;
  const merged = { ...script, steps: merge(script.steps, struck, beginsMs) };
  const [again] = new World(script.setup, options).run(merged.steps).violations;
  return again?.invariant === violation.invariant ? merged : null;
}

/** Steps whose delay is interrupted by a strike come at the time at which they came. */
function merge(
  steps: readonly Step[],
  struck: readonly Struck[],
  beginsMs: readonly number[],
): readonly Step[] {
  return [...steps.keys(), steps.length].flatMap((index) => {
    const before = struck.filter(({ stepsBegun }) => stepsBegun === index);
    const inserted = before.map(({ atMs, action }): Step => ({ when: { kind: 'at', ms: atMs }, action }));
    const step = steps[index];
    if (step === undefined) return inserted;
    const [beginMs] = beginsMs.slice(index);
    if (inserted.length === 0 || beginMs === undefined) return [...inserted, step];
    return [...inserted, { ...step, when: { kind: 'at', ms: beginMs } }];
  });
}
