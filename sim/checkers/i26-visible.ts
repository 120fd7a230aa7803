/**
 * I26: what the secondary lacks of what was acknowledged can be seen: while the primary says that it is connected, so many extents
 * are dirty at least; else it says that it is degraded.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** Looking at everything costs time: once per so many answers. */
const EVERY = 8;

export function visible({ view, ledger, report }: Bench): Checker {
  let answers = 0;

  /** Extents that the other node lacks something of. */
  function lackingExtents(node: NodeName): number {
    const { required } = ledger.facts[node];
    const other = otherNode(node);
    let extents = 0;
    for (let first = 0; first < view.blocks; first += view.blocksPerExtent) {
      for (let block = first; block < first + view.blocksPerExtent; block++) {
        if (!ledger.lacks(other, block, required[block] ?? 0)) continue;
        extents++;
        break;
      }
    }
    return extents;
  }

  function inspect(node: NodeName): void {
    const { connected, intact, behind } = ledger.facts[node];
    // What a power failure has taken there is unknown until the session ends.
    if (!connected || !intact || behind) return;
    const status = view.status(node);
    if (status?.status !== 'complete') return;
    const lacking = lackingExtents(node);
    if (lacking * status.extentsize <= status.dirty) return;
    const dirty = `${String(status.dirty / status.extentsize)} are said to be dirty`;
    report(`${node} is connected, ${String(lacking)} extents lack something on the other node, and ${dirty}`);
  }

  return {
    answered({ node, write }) {
      if (write !== 0 && ++answers % EVERY === 0) inspect(node);
    },
    event(node, role, event) {
      if (role === 'primary' && event === 'syncdone') inspect(node);
    },
    quiet: inspect,
  };
}
