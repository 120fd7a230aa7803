/** What can be waited for and expected; told from outside, as a person with `hastctl status` and a look at the disks would. */
import { unreachable } from '../../core/base/assert.js';
import { otherNode, type Condition, type NodeName } from '../script/script.js';
import type { World } from './world.js';

export function holds(world: World, condition: Condition): boolean {
  switch (condition.kind) {
    case 'in-sync':
      return inSync(world);
    case 'device':
      return hasDevice(world, condition.node) === condition.present;
    case 'role':
      return world.nodes[condition.node].role === condition.role;
    case 'worker':
      return world.nodes[condition.node].hasWorker === condition.present;
    case 'connected':
      return (connectedPrimary(world) !== null) === condition.present;
    case 'idle':
      return world.client.outstanding === 0;
    case 'event':
      return eventsOf(world, condition.node).some((event) => event === condition.event);
    case 'log':
      return linesOf(world, condition.node).some((text) => text.includes(condition.text));
    case 'incomplete':
      return (world.view.metadata(condition.node)?.incomplete === true) === condition.present;
    case 'counts': {
      const metadata = world.view.metadata(condition.node);
      const { local, remote } = condition;
      return metadata?.localcnt === BigInt(local) && metadata.remotecnt === BigInt(remote);
    }
    default:
      return unreachable(condition);
  }
}

/** Connected, nothing to copy, nothing under way, counters equal, both copies complete. */
export function inSync(world: World): boolean {
  const primary = connectedPrimary(world);
  if (primary === null || world.client.outstanding > 0) return false;
  const other = otherNode(primary);
  if (world.client.seats[primary].device === null) return false;
  if (world.nodes[other].role !== 'secondary' || !world.nodes[other].hasWorker) return false;
  const status = world.nodes[primary].status;
  if (status?.status !== 'complete' || status.dirty > 0) return false;
  const [ours, theirs] = [world.view.metadata(primary), world.view.metadata(other)];
  if (ours === null || theirs === null || ours.incomplete || theirs.incomplete) return false;
  if (ours.resuid === 0n || ours.resuid !== theirs.resuid || ours.localBad.length > 0) return false;
  return ours.localcnt === theirs.remotecnt && ours.remotecnt === theirs.localcnt;
}

function connectedPrimary(world: World): NodeName | null {
  const { a, b } = world.judges.ledger.facts;
  if (a.connected) return 'a';
  return b.connected ? 'b' : null;
}

/** Events of the hooks that ran on the node since somebody last looked. */
function eventsOf(world: World, node: NodeName): string[] {
  return world.nodes[node].hooks.slice(world.seen[node].hooks).map((hook) => hook.split(' ')[0] ?? '');
}

function linesOf(world: World, node: NodeName): string[] {
  return world.nodes[node].lines.slice(world.seen[node].lines).map(({ text }) => text);
}

function hasDevice(world: World, node: NodeName | null): boolean {
  return node === null ? world.client.node !== null : world.client.seats[node].device !== null;
}

/** What happened up to now is news no more. */
export function lookAway(world: World): void {
  for (const node of ['a', 'b'] as const) {
    world.seen[node].hooks = world.nodes[node].hooks.length;
    world.seen[node].lines = world.nodes[node].lines.length;
  }
}
