/** What a script can do to a world, action by action. */
import { unreachable } from '../../core/base/assert.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { LAN_CONDITIONS, type LinkConditions } from '../link.js';
import {
  otherNode,
  BLOCK_BYTES,
  type Action,
  type Condition,
  type DiskPlace,
  type NodeName,
  type Way,
} from '../script/script.js';
import { holds } from './conditions.js';
import { expectIt } from './expectations.js';
import { heal, settle } from './settle.js';
import type { World } from './world.js';

const SPIKE_ONE_IN = 8;

/** A role command answers at once; what it says is in the log. */
export function perform(world: World, action: Action): void {
  switch (action.kind) {
    case 'request':
      if (!world.client.submit(action.node, action.request)) world.refused++;
      return;
    case 'await':
      waitFor(world, action.condition, action.withinMs);
      return;
    case 'until':
      if (!waitFor(world, action.condition, action.withinMs)) expectIt(world, action.condition);
      return;
    case 'expect':
      expectIt(world, action.expectation);
      return;
    case 'nothing':
      return;
    case 'heal':
      heal(world);
      return;
    case 'settle':
      settle(world);
      return;
    case 'create':
    case 'start':
    case 'stop':
    case 'role':
    case 'reload':
      operate(world, action);
      return;
    case 'kill':
    case 'pause':
    case 'power':
      world.faults++;
      strikeNode(world, action);
      return;
    case 'cut':
    case 'cut-after':
    case 'cut-channel':
    case 'mend':
    case 'mend-channel':
    case 'reset':
    case 'refuse':
    case 'latency':
    case 'bandwidth':
    case 'spikes':
    case 'batch':
    case 'fragment':
    case 'delay-close':
    case 'move':
      world.faults++;
      world.disturbed = true;
      strikeNetwork(world, action);
      return;
    case 'fail':
    case 'slow':
    case 'stick':
    case 'lie':
    case 'corrupt':
    case 'damage':
    case 'misdirect':
    case 'shorten':
    case 'snapshot':
    case 'restore':
    case 'repair':
      world.faults++;
      strikeDisk(world, action);
      return;
    default:
      unreachable(action);
  }
}

function waitFor(world: World, condition: Condition, withinMs: number): boolean {
  const isNews = condition.kind === 'event' || condition.kind === 'log';
  return world.until(() => holds(world, condition), withinMs, isNews ? 'at news' : 'now and then');
}

type Of<K extends Action['kind']> = Extract<Action, { readonly kind: K }>;

function operate(world: World, action: Of<'create' | 'start' | 'stop' | 'role' | 'reload'>): void {
  switch (action.kind) {
    case 'create':
      world.create(action.node);
      return;
    case 'start':
      if (!world.nodes[action.node].alive) world.nodes[action.node].start();
      return;
    case 'stop':
      world.nodes[action.node].stop();
      return;
    case 'role':
      if (action.role === 'primary') world.wanted = action.node;
      world.setRole(action.node, action.role, action.force);
      return;
    case 'reload':
      world.reloadedMs = world.scheduler.nowMs;
      for (const name of action.node === null ? (['a', 'b'] as const) : [action.node]) {
        const node = world.nodes[name];
        node.reload({ ...node.resource, replication: action.replication });
      }
      return;
    default:
      unreachable(action);
  }
}

function strikeNode(world: World, action: Of<'kill' | 'pause' | 'power'>): void {
  const node = world.nodes[action.node];
  switch (action.kind) {
    case 'kill':
      if (action.what === 'worker') node.killWorker();
      else if (action.what === 'daemon') node.killDaemon();
      else node.killAll();
      return;
    case 'pause':
      world.disturbed = true;
      if (action.what !== 'daemon') node.pause('worker', action.ms);
      if (action.what !== 'worker') node.pause('daemon', action.ms);
      return;
    case 'power':
      if (action.on) node.machine.powerOn();
      else node.losePower();
      return;
    default:
      unreachable(action);
  }
}

type NetworkAction = Of<
  | 'cut'
  | 'cut-after'
  | 'cut-channel'
  | 'mend'
  | 'mend-channel'
  | 'reset'
  | 'refuse'
  | 'latency'
  | 'bandwidth'
  | 'spikes'
  | 'batch'
  | 'fragment'
  | 'delay-close'
  | 'move'
>;

function strikeNetwork(world: World, action: NetworkAction): void {
  const { lan } = world;
  switch (action.kind) {
    case 'cut':
      for (const from of sources(action.from)) lan.cut(from, otherNode(from));
      return;
    case 'mend':
      for (const from of sources(action.from)) lan.heal(from, otherNode(from));
      return;
    case 'cut-after':
      lan
        .link(action.from, otherNode(action.from))
        .cutAfterBytes(action.bytes, action.how === 'silence' ? 'cut' : 'reset');
      return;
    case 'cut-channel':
      lan.channels(action.from, otherNode(action.from))[action.channel]?.cut();
      return;
    case 'mend-channel':
      lan.channels(action.from, otherNode(action.from))[action.channel]?.heal();
      return;
    case 'reset':
      lan.resetConnections(lan.host('a'), lan.host('b'));
      return;
    case 'refuse':
      lan.host(action.node).refuses = action.on;
      return;
    case 'latency':
      change(world, action.from, { minLatencyMs: action.minMs, maxLatencyMs: action.maxMs });
      return;
    case 'bandwidth':
      change(world, action.from, { bytesPerMs: action.bytesPerMs });
      return;
    case 'spikes':
      change(world, action.from, { spikeMs: action.ms, spikeOneIn: action.ms === 0 ? 0 : SPIKE_ONE_IN });
      return;
    case 'batch':
      change(world, action.from, { coalesceMs: action.ms });
      return;
    case 'fragment':
      change(world, action.from, { fragmentOneIn: action.on ? 1 : LAN_CONDITIONS.fragmentOneIn });
      return;
    case 'delay-close':
      change(world, action.from, { closeDelayMs: action.ms });
      return;
    case 'move':
      world.move(action.node);
      return;
    default:
      unreachable(action);
  }
}

function change({ lan }: World, way: Way, changes: Partial<LinkConditions>): void {
  for (const from of sources(way)) lan.link(from, otherNode(from)).change(changes);
}

type DiskAction = Of<
  | 'fail'
  | 'slow'
  | 'stick'
  | 'lie'
  | 'corrupt'
  | 'damage'
  | 'misdirect'
  | 'shorten'
  | 'snapshot'
  | 'restore'
  | 'repair'
>;

function strikeDisk(world: World, action: DiskAction): void {
  if (action.kind === 'repair') {
    for (const name of sources(action.node)) {
      world.repair(name);
    }
    return;
  }
  const { medium } = world.nodes[action.node];
  if (action.kind !== 'snapshot') world.badDisks.add(action.node);
  switch (action.kind) {
    case 'fail': {
      const { operation, code, place } = action;
      if (operation === 'flush' && code === 'EOPNOTSUPP') {
        world.makeFlushless(action.node);
        return;
      }
      const untilWritten = operation === 'read' && place.kind === 'blocks';
      medium.inject({
        operation,
        code,
        times: action.times ?? 'always',
        untilWritten,
        ...rangeOf(world, place),
      });
      return;
    }
    case 'slow':
      medium.slow({ operation: action.operation, delayMs: action.delayMs });
      return;
    case 'stick':
      medium.stick();
      return;
    case 'lie':
      world.excuse(`the disk of ${action.node} lied about a flush`);
      medium.lie();
      return;
    case 'damage':
      if (action.place === 'map') world.excuse(`the disk of ${action.node} lost what it knew`);
      medium.corrupt((action.place === 'map' ? METADATA_BYTES : 0) + (action.bit >> 3), action.bit & 7);
      return;
    case 'corrupt':
      world.excuse(`the disk of ${action.node} lost data`);
      if (action.bit === null) medium.corruptSector(world.at(action.block));
      else medium.corrupt(world.at(action.block) + (action.bit >> 3), action.bit & 7);
      return;
    case 'misdirect': {
      world.excuse(`the disk of ${action.node} wrote to the wrong place`);
      const offset = world.at(action.block);
      medium.misdirect({ offset, length: BLOCK_BYTES, to: world.at(action.to) });
      return;
    }
    case 'shorten':
      world.excuse(`the disk of ${action.node} became smaller`);
      medium.shrink(medium.mediaSize - action.blocks * BLOCK_BYTES);
      return;
    case 'snapshot':
      world.snapshots.set(action.node, medium.snapshot());
      return;
    case 'restore': {
      const image = world.snapshots.get(action.node);
      if (image === undefined) return;
      world.excuse(`the disk of ${action.node} is an old one`);
      medium.restore(image);
      return;
    }
    default:
      unreachable(action);
  }
}

function sources(way: Way): readonly NodeName[] {
  return way === null ? ['a', 'b'] : [way];
}

/** Bytes of the component. */
function rangeOf(world: World, place: DiskPlace): { offset?: number; length?: number } {
  switch (place.kind) {
    case 'all':
      return {};
    case 'metadata':
      return { offset: 0, length: 4096 };
    case 'map':
      return { offset: 4096, length: world.view.dataOffset - 4096 };
    case 'blocks':
      return { offset: world.at(place.block), length: place.count * BLOCK_BYTES };
    default:
      return unreachable(place);
  }
}
