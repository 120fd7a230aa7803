/**
 * Scripts that make sense: a pair of nodes in sync, an application at work, and things that happen to nodes, network and disks, each with
 * its end; then everything heals. What happens is generated as data first, so that fast-check shrinks it act by act; who is primary
 * when is known only when the acts are put in a row.
 */
import fc from 'fast-check';
import { printScript } from '../../sim/script/print.js';
import {
  otherNode,
  type Action,
  type DiskPlace,
  type NodeName,
  type Request,
  type Script,
  type Setup,
  type Step,
  type When,
} from '../../sim/script/script.js';
import { AT_ONCE, pairSteps } from '../../sim/script/shorthand.js';

const BLOCKS_PER_EXTENT = 8;
const EXTENTS = 8;
const BLOCKS = EXTENTS * BLOCKS_PER_EXTENT;

/** Of the two nodes, as it is at that time. */
type Side = 'primary' | 'secondary';

/** Requests with a pause after each, ms. */
type Load = readonly { readonly request: Request; readonly pauseMs: number }[];

type CalmAct =
  | { readonly kind: 'load'; readonly load: Load }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'swap'; readonly load: Load }
  | { readonly kind: 'reload'; readonly replication: Setup['replication']; readonly load: Load };

type WildAct =
  | { readonly kind: 'kill worker'; readonly side: Side; readonly load: Load }
  /** Dies, and comes back after a while with the same role. */
  | {
      readonly kind: 'restart';
      readonly side: Side;
      readonly power: boolean;
      readonly load: Load;
      readonly ms: number;
    }
  /** The primary dies and comes back as secondary, or as primary again. */
  | {
      readonly kind: 'fail over';
      readonly power: boolean;
      readonly before: Load;
      readonly load: Load;
      readonly back: Side;
    }
  | { readonly kind: 'partition'; readonly from: Side | null; readonly load: Load; readonly ms: number }
  | { readonly kind: 'reset'; readonly load: Load }
  | { readonly kind: 'cut'; readonly from: Side; readonly bytes: number; readonly load: Load }
  | { readonly kind: 'both primary'; readonly loads: readonly [Load, Load]; readonly loser: Side }
  | { readonly kind: 'pause'; readonly side: Side; readonly load: Load; readonly ms: number }
  | {
      readonly kind: 'bad disk';
      readonly side: Side;
      readonly operation: 'read' | 'write' | 'flush';
      readonly times: number | null;
      readonly place: DiskPlace;
      readonly load: Load;
      readonly ms: number;
    }
  | { readonly kind: 'slow disk'; readonly side: Side; readonly delayMs: number; readonly load: Load };

type Act = CalmAct | WildAct;

/** Puts acts in a row. */
class Teller {
  readonly steps: Step[] = pairSteps(AT_ONCE);
  primary: NodeName = 'a';

  tell(act: Act): void {
    switch (act.kind) {
      case 'load':
        this.#load(act.load);
        return;
      case 'wait':
        this.#wait(act.ms);
        return;
      case 'swap':
        this.#swap(act.load);
        return;
      case 'reload':
        this.#do({ kind: 'reload', node: null, replication: act.replication });
        this.#load(act.load);
        return;
      default:
        this.#strike(act);
    }
  }

  #strike(act: WildAct): void {
    switch (act.kind) {
      case 'kill worker':
        this.#do({ kind: 'kill', what: 'worker', node: this.#node(act.side) });
        this.#load(act.load);
        return;
      case 'restart':
        this.#restart(act);
        return;
      case 'fail over':
        this.#failOver(act);
        return;
      case 'partition': {
        const from = act.from === null ? null : this.#node(act.from);
        this.#do({ kind: 'cut', from });
        this.#load(act.load);
        this.#wait(act.ms);
        this.#do({ kind: 'mend', from });
        return;
      }
      case 'reset':
        this.#do({ kind: 'reset' });
        this.#load(act.load);
        return;
      case 'cut':
        this.#do({ kind: 'cut-after', from: this.#node(act.from), bytes: act.bytes, how: 'reset' });
        this.#load(act.load);
        return;
      case 'both primary':
        this.#bothPrimary(act);
        return;
      case 'pause':
        this.#do({ kind: 'pause', what: 'all', node: this.#node(act.side), ms: act.ms });
        this.#load(act.load);
        return;
      default:
        this.#spoilDisk(act);
    }
  }

  #spoilDisk(act: Extract<WildAct, { kind: 'bad disk' | 'slow disk' }>): void {
    const node = this.#node(act.side);
    if (act.kind === 'slow disk') {
      this.#do({ kind: 'slow', node, operation: 'write', delayMs: act.delayMs });
    } else {
      const { operation, times, place } = act;
      this.#do({ kind: 'fail', node, operation, code: 'EIO', times, place });
    }
    this.#load(act.load);
    if (act.kind === 'bad disk') this.#wait(act.ms);
    this.#do({ kind: 'repair', node });
    // A primary whose metadata could not be read or written has fallen back to init.
    this.#role(this.primary, 'primary');
  }

  #swap(load: Load): void {
    const old = this.primary;
    const next = otherNode(old);
    this.#await({ kind: 'in-sync' });
    this.#load(load);
    this.#role(old, 'secondary');
    this.#await({ kind: 'role', node: old, role: 'secondary' });
    this.#await({ kind: 'worker', node: next, present: false });
    this.#promote(next);
  }

  #restart({ side, power, load, ms }: Extract<WildAct, { kind: 'restart' }>): void {
    const node = this.#node(side);
    this.#die(node, power);
    this.#load(load);
    this.#wait(ms);
    this.#return(node, side);
  }

  #failOver({ power, before, load, back }: Extract<WildAct, { kind: 'fail over' }>): void {
    const old = this.primary;
    const next = otherNode(old);
    this.#await({ kind: 'in-sync' });
    this.#load(before);
    this.#die(old, power);
    this.#await({ kind: 'worker', node: next, present: false });
    this.#promote(next);
    this.#load(load);
    if (back === 'primary') {
      this.#wait(2000);
      this.#role(next, 'secondary');
      this.#await({ kind: 'role', node: next, role: 'secondary' });
      this.primary = old;
    }
    this.#return(old, back);
  }

  /** A partition, and an operator who promotes the secondary all the same. */
  #bothPrimary({ loads, loser }: Extract<WildAct, { kind: 'both primary' }>): void {
    const [left, right] = [this.primary, otherNode(this.primary)];
    this.#await({ kind: 'in-sync' });
    this.#do({ kind: 'cut', from: null });
    this.#await({ kind: 'worker', node: right, present: false });
    this.#role(right, 'primary');
    this.#await({ kind: 'device', node: right, present: true });
    this.#load(loads[0], left);
    this.#load(loads[1], right);
    this.#wait(8000);
    this.#do({ kind: 'mend', from: null });
    const demoted = this.#node(loser);
    this.#role(demoted, 'secondary');
    this.primary = otherNode(demoted);
    this.#role(this.primary, 'primary');
    // Whose data survives is decided before the application goes on.
    this.#do({ kind: 'settle' });
  }

  #die(node: NodeName, power: boolean): void {
    this.#do(power ? { kind: 'power', node, on: false } : { kind: 'kill', what: 'all', node });
  }

  #return(node: NodeName, role: Side): void {
    this.#do({ kind: 'power', node, on: true });
    this.#do({ kind: 'start', node });
    this.#role(node, role);
  }

  #promote(node: NodeName): void {
    this.primary = node;
    this.#role(node, 'primary');
    this.#await({ kind: 'device', node, present: true });
  }

  #role(node: NodeName, role: Side): void {
    this.#do({ kind: 'role', node, role, force: false });
  }

  #await(condition: Extract<Action, { kind: 'await' }>['condition']): void {
    this.#do({ kind: 'await', condition, withinMs: 60_000 });
  }

  #wait(ms: number): void {
    this.#do({ kind: 'nothing' }, ms);
  }

  /** To the device of `node`; without one to whichever there is. */
  #load(load: Load, node: NodeName | null = null): void {
    let pauseMs = 0;
    for (const part of load) {
      this.#do({ kind: 'request', node, request: part.request }, pauseMs);
      pauseMs = part.pauseMs;
    }
    if (pauseMs > 0) this.#wait(pauseMs);
  }

  #node(side: Side): NodeName {
    return side === 'primary' ? this.primary : otherNode(this.primary);
  }

  #do(action: Action, ms = 0): void {
    const when: When = ms === 0 ? AT_ONCE : { kind: 'after', ms };
    this.steps.push({ when, action });
  }
}

const side = fc.constantFrom<Side>('primary', 'secondary');
const power = fc.boolean();

const range = fc
  .record({ block: fc.nat({ max: BLOCKS - 1 }), count: fc.integer({ min: 1, max: 12 }) })
  .map(({ block, count }) => ({ block, count: Math.min(count, BLOCKS - block) }));

const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 12, arbitrary: range.map((at) => ({ kind: 'write' as const, ...at, label: null })) },
  { weight: 5, arbitrary: range.map((at) => ({ kind: 'read' as const, ...at })) },
  { weight: 2, arbitrary: range.map((at) => ({ kind: 'delete' as const, ...at })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
);

const pauseMs = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.nat({ max: 20 }) },
);
const load: fc.Arbitrary<Load> = fc.array(fc.record({ request, pauseMs }), { maxLength: 24, size: 'medium' });

/** From a moment to longer than every timer. */
const durationMs = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 5000 }), fc.nat({ max: 60_000 }));

const place: fc.Arbitrary<DiskPlace> = fc.oneof(
  { weight: 4, arbitrary: range.map((at) => ({ kind: 'blocks' as const, ...at })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<DiskPlace>({ kind: 'all' }, { kind: 'metadata' }, { kind: 'map' }),
  },
);

const replication = fc.constantFrom<Setup['replication']>('fullsync', 'memsync', 'async');

const calmAct: fc.Arbitrary<CalmAct> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('load' as const), load }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: durationMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('swap' as const), load }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), replication, load }) },
);

const operation = fc.constantFrom('read' as const, 'write' as const, 'flush' as const);
const times = fc.option(fc.integer({ min: 1, max: 3 }), { nil: null });

const wildAct: fc.Arbitrary<WildAct> = fc.oneof(
  fc.record({ kind: fc.constant('kill worker' as const), side, load }),
  fc.record({ kind: fc.constant('restart' as const), side, power, load, ms: durationMs }),
  fc.record({ kind: fc.constant('fail over' as const), power, before: load, load, back: side }),
  fc.record({ kind: fc.constant('partition' as const), from: fc.option(side), load, ms: durationMs }),
  fc.record({ kind: fc.constant('reset' as const), load }),
  fc.record({ kind: fc.constant('cut' as const), from: side, bytes: fc.nat({ max: 20_000 }), load }),
  fc.record({ kind: fc.constant('both primary' as const), loads: fc.tuple(load, load), loser: side }),
  fc.record({ kind: fc.constant('pause' as const), side, load, ms: durationMs }),
  fc.record({ kind: fc.constant('bad disk' as const), side, operation, times, place, load, ms: durationMs }),
  fc.record({ kind: fc.constant('slow disk' as const), side, delayMs: fc.nat({ max: 3000 }), load }),
);

const setup: fc.Arbitrary<Setup> = fc.record({
  seed: fc.nat({ max: 0xffff }),
  replication,
  checksum: fc.constantFrom('none' as const, 'crc32' as const, 'sha256' as const),
  compression: fc.constantFrom('none' as const, 'hole' as const, 'lzf' as const),
  timeout: fc.integer({ min: 2, max: 20 }),
  extents: fc.constant(EXTENTS),
  extentBytes: fc.constant(BLOCKS_PER_EXTENT * 512),
  keepdirty: fc.record({ a: fc.integer({ min: 1, max: 4 }), b: fc.integer({ min: 1, max: 4 }) }),
  maxRequestBytes: fc.constantFrom(1024, 2048, 4096),
  ties: fc.constantFrom('sequence' as const, 'random' as const, 'priority' as const),
  cores: fc.constant({ a: 'own' as const, b: 'own' as const }),
  takeover: fc.boolean(),
  cached: fc.boolean(),
  syncBytesPerS: fc.constantFrom(0, 65_536, 262_144),
});

function tell(acts: readonly Act[]): Step[] {
  const teller = new Teller();
  for (const act of acts) teller.tell(act);
  return teller.steps;
}

/** fast-check prints a counterexample as the text of the script. */
function readable(script: Script): Script {
  return Object.assign({ [fc.toStringMethod]: () => `\n${printScript(script)}` }, script);
}

/** Nothing goes wrong. */
export const calmStories: fc.Arbitrary<Script> = fc
  .record({ setup, acts: fc.array(calmAct, { maxLength: 8 }) })
  .map((story) => readable({ setup: story.setup, steps: tell(story.acts) }));

/** Anything goes wrong; in the end everything heals. */
export const stories: fc.Arbitrary<Script> = fc
  .record({
    setup,
    acts: fc.array(fc.oneof({ weight: 1, arbitrary: calmAct }, { weight: 2, arbitrary: wildAct }), {
      maxLength: 10,
      size: 'medium',
    }),
  })
  .map((story) => {
    const steps = [...tell(story.acts), { when: AT_ONCE, action: { kind: 'settle' as const } }];
    return readable({ setup: story.setup, steps });
  });
