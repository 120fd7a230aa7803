/**
 * Everything that can happen in a very small world: two extents, up to three writes, and up to two strikes, each at every event
 * that can be seen from outside. A strike is a fault (of a process, a machine, a link, an operation of a disk) or an order
 * that chance would bring about (a late message). No state can be saved and gone back to, so a branch is the list of its
 * strikes, run from the beginning; one that comes into a state from which another branch has gone on with as
 * many strikes left is not followed further.
 */
import type { ReplicationMode } from '../../core/config/types.js';
import { isScriptError, parseScript } from '../script/parse.js';
import type { Action, CoreName, NodeName, Script } from '../script/script.js';
import type { Violation } from '../world/result.js';
import { World, type RunOptions } from '../world/world.js';
import type { EventNote } from './event-watch.js';
import { SeenStates } from './seen-states.js';
import { StateWatch } from './state-watch.js';
import { endsOf, Striker, type Strike } from './strikes.js';

export interface ExploreOptions extends RunOptions {
  /** How many runs are allowed, shared among all levels. */
  readonly runs: number;
  readonly modes?: readonly ReplicationMode[];
  /** What both nodes run. */
  readonly core?: CoreName;
  /** 1 to 3. */
  readonly maxWrites?: number;
  /** 0 to 2. */
  readonly maxStrikes?: number;
}

export interface Finding {
  readonly script: Script;
  readonly strikes: readonly Strike[];
  readonly violation: Violation;
}

/** All small worlds with so many writes, each struck so often. */
export interface Level {
  readonly strikes: number;
  readonly writes: number;
  readonly mode: ReplicationMode;
  runs: number;
  /** Branches cut off because others had gone on from the same state. */
  known: number;
  /** Branches cut off because there were no runs left; those that would grow from them are not counted. */
  untried: number;
}

export interface Exploration {
  readonly levels: readonly Level[];
  readonly findings: readonly Finding[];
  readonly runs: number;
  /** Different states. */
  readonly states: number;
}

/** More would say nothing new. */
const MAX_FINDINGS = 20;
const PROGRESS_RUNS = 20;
const MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];

/** Explores level by level, the fewest strikes first; yields what is known so far now and then, returns it in the end. */
export function* explore(options: ExploreOptions): Generator<Exploration, Exploration> {
  const levels = levelsOf(options);
  const explorer = new Explorer(options, levels);
  for (const [index, level] of levels.entries()) {
    // What a level leaves over is shared by those after it.
    const share = Math.floor((options.runs - explorer.runs) / (levels.length - index));
    const scripts = smallScripts(level.writes, level.mode, options.core ?? 'own');
    let left = share;
    for (const [i, script] of scripts.entries()) {
      left -= yield* explorer.follow(level, { script, strikes: [] }, Math.floor(left / (scripts.length - i)));
    }
  }
  return explorer.soFar();
}

function levelsOf({ modes = MODES, maxWrites = 3, maxStrikes = 2 }: ExploreOptions): Level[] {
  const levels: Level[] = [];
  for (let strikes = 0; strikes <= maxStrikes; strikes++) {
    for (let writes = 1; writes <= maxWrites; writes++) {
      for (const mode of modes) levels.push({ strikes, writes, mode, runs: 0, known: 0, untried: 0 });
    }
  }
  return levels;
}

/**
 * Each write goes to one of the two extents, at once or after the one before is over; then everything is put right. A single
 * write is tried at the first meeting of the nodes, too.
 */
function smallScripts(writes: number, mode: ReplicationMode, core: CoreName): readonly Script[] {
  let bodies = ['write 0'];
  for (let i = 1; i < writes; i++) {
    bodies = bodies.flatMap((body) =>
      ['write 0', 'write 2', '+20ms write 0', '+20ms write 2'].map((next) => `${body}\n${next}`),
    );
  }
  const heads = writes === 1 ? ['pair', 'role b secondary\nrole a primary\nawait device'] : ['pair'];
  const setup = `setup replication=${mode} timeout=5 extents=2 extent-bytes=1024 keepdirty=1 core=${core}`;
  const tail = '+20ms heal\n+100ms role b secondary\nrole a primary\nwait 12s\nsettle\n';
  return heads.flatMap((head) => bodies.map((body) => scriptOf([setup, head, body, tail].join('\n'))));
}

function scriptOf(text: string): Script {
  const script = parseScript(text);
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

interface Branch {
  readonly script: Script;
  readonly strikes: readonly Strike[];
}

/** Thrown into a run that is not worth its end. */
class Stop extends Error {}

class Explorer {
  readonly #options: ExploreOptions;
  readonly #levels: readonly Level[];
  readonly #findings: Finding[] = [];
  readonly #seen = new SeenStates();
  #runs = 0;

  constructor(options: ExploreOptions, levels: readonly Level[]) {
    this.#options = options;
    this.#levels = levels;
  }

  get runs(): number {
    return this.#runs;
  }

  soFar(): Exploration {
    return { levels: this.#levels, findings: this.#findings, runs: this.#runs, states: this.#seen.count };
  }

  /** Runs the branch and all that grow from it, as far as `allowance` runs go; how many it took. */
  *follow(level: Level, branch: Branch, allowance: number): Generator<Exploration, number> {
    if (allowance < 1) {
      level.untried++;
      return 0;
    }
    const left = level.strikes - branch.strikes.length;
    const strikes = this.#run(level, branch, left);
    if (this.#runs % PROGRESS_RUNS === 0) yield this.soFar();
    if (left === 0) return 1;
    const children = spread(strikes);
    let used = 1;
    for (const [index, strike] of children.entries()) {
      const share = Math.ceil((allowance - used) / (children.length - index));
      const child = { ...branch, strikes: [...branch.strikes, strike] };
      used += yield* this.follow(level, child, Math.min(share, allowance - used));
    }
    return used;
  }

  /** All strikes that are possible after the last one, up to a state that is known. */
  #run(level: Level, { script, strikes }: Branch, left: number): readonly Strike[] {
    this.#runs++;
    level.runs++;
    const { steps } = script;
    const firstStep = steps.findLastIndex(({ action }) => action.kind === 'until') + 1;
    const watch = new StateWatch(script, firstStep, steps.length - 1);
    const world = new World(script.setup, { ...this.#options, witness: watch });
    const striker = new Striker(world, strikes, (action) => {
      watch.struck(action);
    });
    const { scheduler } = world;
    let looked = 0;
    let stopped = false;
    const beforeEvent = (): void => {
      const note = watch.notes.at(-1);
      if (striker.isDone && note !== undefined && note.event === scheduler.events && note.event !== looked) {
        looked = note.event;
        watch.print(world);
        if (this.#seen.wasSeen(watch.low, watch.high, this.#runs, left)) {
          stopped = true;
          throw new Stop();
        }
      }
      striker.strike();
    };
    scheduler.beforeEvent = beforeEvent;
    const { violations } = world.run(steps);
    const struckAt = strikes.at(-1)?.events ?? 0;
    if (stopped) level.known++;
    else this.#judge({ script, strikes }, violations[0]);
    const notes = watch.notes.filter(({ event }) => event > struckAt);
    // The next event may come when everything has been repaired.
    return notes.flatMap(strikesAt).filter(({ events }) => events < watch.endEvents);
  }

  #judge(branch: Branch, violation: Violation | undefined): void {
    if (violation === undefined || this.#findings.length >= MAX_FINDINGS) return;
    this.#findings.push({ ...branch, violation });
  }
}

/** All that can strike right before or right after an event. */
function strikesAt({ event, nodes, senders, writers, flushers }: EventNote): readonly Strike[] {
  const before = (action: Action, undo: readonly Action[] = []): Strike => ({
    events: event - 1,
    actions: [action],
    undo,
  });
  const after = (action: Action): Strike => ({ events: event, actions: [action], undo: [] });
  return [
    ...[...nodes].flatMap(endsOf).map(after),
    ...[...writers].map((node) => before(failing(node, 'write'))),
    ...[...flushers].map((node) => before(failing(node, 'flush'))),
    ...[...senders].flatMap((from) => [
      before({ kind: 'cut', from }),
      before({ kind: 'latency', from, minMs: 10, maxMs: 10 }, [
        { kind: 'latency', from, minMs: 0.05, maxMs: 1 },
      ]),
    ]),
    ...(senders.size > 0 ? [after({ kind: 'reset' })] : []),
  ];
}

function failing(node: NodeName, operation: 'write' | 'flush'): Action {
  return { kind: 'fail', node, operation, code: 'EIO', times: 1, place: { kind: 'all' } };
}

/** The same elements in an order in which any first few are spread over all of them. */
function spread<T>(list: readonly T[]): readonly T[] {
  let stride = Math.max(1, Math.floor(list.length * 0.618));
  while (greatestCommonDivisor(stride, list.length) > 1) stride++;
  return list.map((_, index) => list[(index * stride) % list.length] as T);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
