/**
 * I30: a write that failed leaves its extents marked on a disk, and due to be copied, or the copies equal: whatever it left, it is
 * the same on both in the end.
 */
import { otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function failedWrite({ view, ledger, report }: Bench): Checker {
  function mayDiffer(block: number): boolean {
    const word = view.visible('a', block);
    if (word !== view.visible('b', block)) return true;
    return word !== view.durable('a', block) || word !== view.durable('b', block);
  }

  return {
    answered({ node, write, error, block, count }) {
      if (error === null || write === 0) return;
      const other = otherNode(node);
      const [ours, theirs] = [view.durableMetadata(node), view.durableMetadata(other)];
      if (ours === null || theirs === null || ours.resuid !== theirs.resuid) return;
      const status = view.status(node);
      for (let at = block; at < block + count; at++) {
        if (!mayDiffer(at)) continue;
        const extent = Math.floor(at / view.blocksPerExtent);
        const what = `write ${String(write)} has failed on ${node}, block ${String(at)} may differ`;
        if (!view.durableBit(node, extent) && !view.durableBit(other, extent)) {
          report(`${what}, and no bit says so`, at);
          return;
        }
        const differs = view.visible(node, at) !== view.visible(other, at);
        // A peer that has lost its power differs because of that, which the end of the session will tell.
        const { connected, intact } = ledger.facts[node];
        if (differs && connected && intact && status?.dirty === 0) {
          report(`${what}, and nothing is due to be copied`, at);
          return;
        }
      }
    },
  };
}
