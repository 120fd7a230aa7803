/** What a script says should be so. */
import type { Expectation, NodeName } from '../script/script.js';
import { printExpectation } from '../script/print.js';
import { holds } from './conditions.js';
import type { World } from './world.js';

/** A READ that an expectation makes is answered in this time. */
const READ_MS = 60_000;

/** Reports what is not as expected. */
export function expectIt(world: World, expectation: Expectation): void {
  const fault = faultOf(world, expectation);
  if (fault !== null) world.judges.reporter('expect')(fault);
}

function faultOf(world: World, expectation: Expectation): string | null {
  switch (expectation.kind) {
    case 'block': {
      const nodes: readonly NodeName[] = expectation.node === null ? ['a', 'b'] : [expectation.node];
      const wanted = wordOf(world, expectation.label);
      for (const node of nodes) {
        const found = world.view.visible(node, expectation.block);
        if (found === wanted) continue;
        const where = `block ${String(expectation.block)} on ${node}`;
        return `${where} should hold ${expectation.label}, and holds ${labelOf(world, found)}`;
      }
      return null;
    }
    case 'read':
      return faultOfRead(world, expectation.block, expectation.label);
    case 'equal':
      for (let block = 0; block < world.view.blocks; block++) {
        if (world.view.visible('a', block) !== world.view.visible('b', block)) {
          return `the copies should be equal, and differ in block ${String(block)}`;
        }
      }
      return null;
    case 'answer': {
      const error = world.client.last?.error;
      if (error === undefined) return 'no request was answered';
      if ((error === null) === expectation.ok) return null;
      return expectation.ok
        ? `the last request failed: ${String(error)}`
        : 'the last request should have failed';
    }
    case 'count': {
      const { node, event, times } = expectation;
      const found = world.nodes[node].hooks.filter((hook) => hook.split(' ')[0] === event).length;
      if (found === times) return null;
      return `${node} should have told ${event} ${String(times)} times, and did ${String(found)} times`;
    }
    default:
      return holds(world, expectation) ? null : `not so: ${printExpectation(expectation)}`;
  }
}

function faultOfRead(world: World, block: number, label: string): string | null {
  const node = world.client.node;
  if (node === null || !world.client.submit(node, { kind: 'read', block, count: 1 })) {
    return `there is no device to read block ${String(block)} from`;
  }
  const request = [...world.client.seats[node].outstanding.values()].at(-1);
  world.until(() => request?.error !== undefined || world.client.seats[node].device === null, READ_MS);
  const error = request?.error;
  if (error === undefined) return `READ of block ${String(block)} was not answered`;
  if (label === 'error') return error === null ? `READ of block ${String(block)} should have failed` : null;
  if (error !== null) return `READ of block ${String(block)} failed: ${error}`;
  const found = request?.words?.[0] ?? 0;
  if (found === wordOf(world, label)) return null;
  return `READ of block ${String(block)} should return ${label}, and returned ${labelOf(world, found)}`;
}

/** `zero`: deleted, or never written. */
function wordOf(world: World, label: string): number {
  return label === 'zero' ? 0 : (world.client.labels.get(label) ?? -1);
}

function labelOf(world: World, word: number): string {
  if (word === 0) return 'zero';
  for (const [label, written] of world.client.labels) if (written === word) return label;
  return `write ${String(word)}`;
}
