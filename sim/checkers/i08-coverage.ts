/**
 * I8: wherever the copies differ, or would if the power failed now, there is a bit on a disk: the next synchronisation comes
 * by. Only between two copies of one resource; a copy that was never connected gets everything anyway.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** Looking at everything costs time: once per so many answers. */
const EVERY = 8;

export function coverage({ view, ledger, report }: Bench): Checker {
  let answers = 0;

  function differs(block: number): boolean {
    const word = view.visible('a', block);
    if (word !== view.visible('b', block)) return true;
    return word !== view.durable('a', block) || word !== view.durable('b', block);
  }

  function inspect(node: NodeName): void {
    const [a, b] = [view.durableMetadata('a'), view.durableMetadata('b')];
    if (a === null || b === null || a.resuid === 0n || a.resuid !== b.resuid) return;
    for (let extent = 0; extent < view.extents; extent++) {
      if (view.durableBit('a', extent) || view.durableBit('b', extent)) continue;
      const first = extent * view.blocksPerExtent;
      for (let block = first; block < first + view.blocksPerExtent; block++) {
        if (!differs(block) || ledger.isUnused(block)) continue;
        report(`with ${node}, the copies of block ${String(block)} may differ, and no bit says so`, block);
        return;
      }
    }
  }

  const look = (node: NodeName): void => {
    // A split brain has two histories, and is resolved by hand.
    if (ledger.facts[node].lone !== 'no' && ledger.facts[otherNode(node)].lone !== 'no') return;
    inspect(node);
  };
  return {
    answered({ node, write }) {
      if (write !== 0 && ++answers % EVERY === 0) look(node);
    },
    powerLost: look,
    workerEnded: look,
    deviceAppeared: look,
    quiet: look,
  };
}
