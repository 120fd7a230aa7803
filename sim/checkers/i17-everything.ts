/**
 * I17: a node that was created anew gets everything when it begins to work with one that has been in use: the primary's map on its
 * disk is full. One that has never met anybody has marked what was ever written to it, and that is everything, too. What
 * interrupts the synchronisation is judged by I8.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function everything({ view, ledger, report }: Bench): Checker {
  /** A session has begun with this copy since it was created. */
  const hasMet: Record<NodeName, boolean> = { a: false, b: false };

  function differs(extent: number): boolean {
    const first = extent * view.blocksPerExtent;
    for (let block = first; block < first + view.blocksPerExtent; block++) {
      if (view.visible('a', block) !== view.visible('b', block) && !ledger.isUnused(block)) return true;
    }
    return false;
  }

  return {
    created(node) {
      hasMet[node] = false;
    },
    event(node, role, event) {
      if (role !== 'primary' || event !== 'connect') return;
      const other = otherNode(node);
      // The answer of a worker that is no more begins nothing.
      if (view.role(other) !== 'secondary' || !view.hasWorker(other)) return;
      for (let extent = 0; extent < view.extents && !hasMet[other]; extent++) {
        if (view.durableBit(node, extent) || (!hasMet[node] && !differs(extent))) continue;
        report(`${node} begins to work with ${other}, which is new, without extent ${String(extent)}`);
        break;
      }
      hasMet[node] = hasMet[other] = true;
    },
  };
}
