/**
 * Ends a node at every point of a script at which it matters: right before and right after every write or flush that reaches
 * a disk, and every message that is sent or arrives. Then it comes back, and everything must come right; the judges
 * are on. A script of a few steps has a few hundred points, and each can be struck in several ways.
 */
import type { Action, Script, Step } from '../script/script.js';
import type { RunResult } from '../world/result.js';
import { World, type RunOptions } from '../world/world.js';
import { EventWatch } from './event-watch.js';
import { endsOf, runStruck } from './strikes.js';

/** So many events have happened when the node ends. */
export interface CrashPoint {
  readonly events: number;
  /** What happens there, in words. */
  readonly what: string;
}

export interface Crash {
  readonly name: string;
  readonly actions: readonly Action[];
}

/** What can end at such a point. */
export const CRASHES: readonly Crash[] = [
  ...(['a', 'b'] as const).flatMap((node) => {
    const [worker, all, power] = endsOf(node);
    return [
      crash(`worker of ${node}`, worker),
      crash(`all of ${node}`, all),
      crash(`power of ${node}`, power),
    ];
  }),
  crash('power of both', { kind: 'power', node: 'a', on: false }, { kind: 'power', node: 'b', on: false }),
];

function crash(name: string, ...actions: readonly (Action | undefined)[]): Crash {
  return { name, actions: actions.filter((action) => action !== undefined) };
}

/** The points of a script, from its last `until` on: what comes before only leads there. In the order of time. */
export function crashPoints(script: Script, options: RunOptions = {}): readonly CrashPoint[] {
  const { setup, steps } = settled(script);
  const firstStep = steps.findLastIndex(({ action }) => action.kind === 'until') + 1;
  const watch = new EventWatch(firstStep, steps.length - 1);
  new World(setup, { ...options, witness: watch }).run(steps);
  const points = new Map<number, string>();
  for (const { event, texts } of watch.notes) {
    const what = [...texts].join(', ');
    if (!points.has(event - 1)) points.set(event - 1, `before ${what}`);
    // The next event may come when everything has been repaired.
    if (event < watch.endEvents) points.set(event, `after ${what}`);
  }
  return [...points].map(([events, what]) => ({ events, what }));
}

/** Runs the script, ends what is to end at the point, and settles. */
export function runCrashPoint(
  script: Script,
  point: CrashPoint,
  { actions }: Crash,
  options: RunOptions = {},
): RunResult {
  return runStruck(settled(script), [{ events: point.events, actions, undo: [] }], options);
}

function settled(script: Script): Script {
  if (script.steps.at(-1)?.action.kind === 'settle') return script;
  const settle: Step = { when: { kind: 'after', ms: 0 }, action: { kind: 'settle' } };
  return { ...script, steps: [...script.steps, settle] };
}
