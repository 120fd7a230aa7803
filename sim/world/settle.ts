/**
 * The end of every story: all faults are taken back, and the operator does what the handbook says until the pair is in sync
 * again. From then on there are no excuses: if it does not come about, that is a violation like lost data.
 */
import { otherNode, type NodeName } from '../script/script.js';
import { inSync } from './conditions.js';
import type { World } from './world.js';

/** Longer than any back-off of the core, twice. */
const IN_SYNC_MS = 700_000;
/** The operator looks again so often. */
const LOOK_MS = 2_000;
/** Everything sent has arrived, everything received has been executed, flushed, and its bits have been cleared. */
const QUIET_MS = 8_000;
const READ_MS = 120_000;
/** An idle peer that is asked whether it is there answers within this time. */
const PROBE_MS = 1_000;
/** What nodes log when only a person can help. */
const SOURCE_IS_GONE = 'the peer is not where it was being copied from';
const REFUSAL = /split-brain|unique ID mismatch|created anew/i;
/** Blocks per READ of the last look at the device. */
const READ_BLOCKS = 32;

/** Links, disks, power, processes; roles stay as they are. */
export function heal(world: World): void {
  world.lan.healAll();
  for (const name of ['a', 'b'] as const) {
    const node = world.nodes[name];
    world.repair(name);
    node.machine.resume();
    node.machine.powerOn();
    if (!node.alive) node.start();
  }
  world.undisturb();
  world.judges.healed();
}

export function settle(world: World): void {
  heal(world);
  const operator = new Operator(world);
  const settled = world.until(() => operator.look(), IN_SYNC_MS);
  if (!settled) {
    world.judges.reporter('liveness')(`the nodes do not come into sync: ${operator.describe()}`);
    return;
  }
  world.wait(QUIET_MS);
  // An orderly stop that was under way may have ended a daemon only now.
  if (!world.until(() => operator.look(), IN_SYNC_MS)) {
    world.judges.reporter('liveness')(`the nodes do not stay in sync: ${operator.describe()}`);
    return;
  }
  world.until(() => nothingQueued(world), PROBE_MS);
  world.judges.quiet(world.wanted);
  readEverything(world);
  world.badDisks.clear();
}

function nothingQueued(world: World): boolean {
  return (['a', 'b'] as const).every((name) => {
    const status = world.view.status(name);
    return status === null || status.localQueue + status.sendQueue + status.doneQueue === 0;
  });
}

/** What the application would find. */
function readEverything(world: World): void {
  const { failed } = world.client.counts;
  for (let block = 0; block < world.view.blocks; block += READ_BLOCKS) {
    const count = Math.min(READ_BLOCKS, world.view.blocks - block);
    world.client.submit(world.wanted, { kind: 'read', block, count });
  }
  if (!world.until(() => world.client.outstanding === 0, READ_MS)) {
    world.judges.reporter('liveness')('a READ of the repaired device is not answered');
  } else if (world.client.counts.failed > failed) {
    world.judges.reporter('liveness')('a READ of the repaired device fails');
  }
}

/** Gives every node its role, and recreates the loser of a split-brain. */
class Operator {
  readonly #world: World;
  readonly #heard: Record<NodeName, number>;
  #lookedMs = -Infinity;

  constructor(world: World) {
    this.#world = world;
    this.#heard = { a: world.nodes.a.lines.length, b: world.nodes.b.lines.length };
  }

  /** True once all is well. */
  look(): boolean {
    const world = this.#world;
    if (inSync(world) && world.client.seats[world.wanted].device !== null) return true;
    if (world.scheduler.nowMs - this.#lookedMs < LOOK_MS) return false;
    this.#lookedMs = world.scheduler.nowMs;
    const primary = world.wanted;
    const secondary = otherNode(primary);
    for (const name of ['a', 'b'] as const) if (!world.nodes[name].alive) world.nodes[name].start();
    const news = this.#news();
    if (news.some((text) => REFUSAL.test(text))) this.#recreateLoser();
    else if (news.some((text) => text.includes(SOURCE_IS_GONE))) this.#force();
    else if (world.nodes[secondary].role !== 'secondary') world.setRole(secondary, 'secondary');
    else if (world.nodes[primary].role !== 'primary') world.setRole(primary, 'primary');
    return false;
  }

  describe(): string {
    const node = (name: NodeName): string => {
      const { role, hasWorker, lines } = this.#world.nodes[name];
      const said = lines.findLast(({ level }) => level !== 'debug2')?.text ?? 'nothing';
      const metadata = this.#world.view.metadata(name);
      const counters =
        metadata === null ? 'unreadable' : `(${String(metadata.localcnt)},${String(metadata.remotecnt)})`;
      return `${name} is ${role}${hasWorker ? '' : ' without worker'} ${counters}, last said "${said}"`;
    };
    return `${node('a')}; ${node('b')}`;
  }

  /** What the nodes have said since the last look. */
  #news(): string[] {
    return (['a', 'b'] as const).flatMap((name) => {
      const { lines } = this.#world.nodes[name];
      const news = lines.slice(this.#heard[name]).map(({ text }) => text);
      this.#heard[name] = lines.length;
      return news;
    });
  }

  /** The node whose copy was complete is no more: what is left has to do. */
  #force(): void {
    const world = this.#world;
    const { wanted } = world;
    world.excuse('the only complete copy was thrown away');
    world.setRole(wanted, 'init');
    world.until(() => world.nodes[wanted].role === 'init' && !world.nodes[wanted].hasWorker, IN_SYNC_MS);
    world.setRole(wanted, 'primary', true);
  }

  /** The node whose data is to survive is the one that has acknowledged something, or has all its bytes. */
  #recreateLoser(): void {
    const world = this.#world;
    const { facts } = world.judges.ledger;
    const lost = otherNode(world.wanted);
    const badBytes = (name: NodeName): boolean => (world.view.metadata(name)?.localBad.length ?? 0) > 0;
    const better =
      (facts[lost].lone === 'acknowledged' && facts[world.wanted].lone !== 'acknowledged') ||
      (badBytes(world.wanted) && !badBytes(lost));
    const loser = better ? world.wanted : lost;
    world.setRole(loser, 'init');
    world.until(() => world.nodes[loser].role === 'init' && !world.nodes[loser].hasWorker, IN_SYNC_MS);
    world.create(loser);
    world.wanted = otherNode(loser);
    this.#heard.a = world.nodes.a.lines.length;
    this.#heard.b = world.nodes.b.lines.length;
    world.setRole(loser, 'secondary');
  }
}
