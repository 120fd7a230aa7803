/** Every crash of some scripts, in one list: each thread makes the same one, and takes items from it by their numbers. */
import type { Script } from '../../sim/script/script.js';
import { crashPoints, CRASHES } from '../../sim/tools/crashpoints.js';
import type { Crash, CrashPoint } from '../../sim/tools/crashpoints.js';
import type { RunOptions } from '../../sim/world/world.js';
import type { SimulatorChoice } from './simulator-port.js';

export interface NamedScript {
  readonly name: string;
  readonly script: Script;
}

/** What a thread of `hastsim crashpoints` is given. */
export interface CrashPlan {
  readonly simulator: string;
  readonly choice: SimulatorChoice;
  /** Ready to be played. */
  readonly scripts: readonly NamedScript[];
  /** Only this point; null: all of them. */
  readonly at: number | null;
  /** Only the crash of this name; null: all of them. */
  readonly crash: string | null;
}

export interface CrashItem extends NamedScript {
  readonly point: CrashPoint;
  readonly crash: Crash;
}

export function crashesOf(
  { scripts, at, crash: name }: CrashPlan,
  options: RunOptions,
): readonly CrashItem[] {
  const items: CrashItem[] = [];
  for (const named of scripts) {
    for (const point of crashPoints(named.script, options)) {
      if (at !== null && point.events !== at) continue;
      for (const crash of CRASHES)
        if (name === null || crash.name === name) items.push({ ...named, point, crash });
    }
  }
  return items;
}
