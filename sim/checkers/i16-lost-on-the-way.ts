/**
 * I16, the other half: when a session ends, and with it writes are lost that were acknowledged and have not arrived on the other
 * node, the counters tell at once, and not only when the next write is acknowledged (W4).
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';
import type { WriteId } from './facts.js';

/** Metadata is stored, and what was received is executed, in this time. */
const AT_ONCE_MS = 3_000;

export function lostOnTheWay({ view, ledger, report }: Bench): Checker {
  const lost: Record<NodeName, readonly WriteId[]> = { a: [], b: [] };
  const sinceMs: Record<NodeName, number> = { a: 0, b: 0 };

  function forget(node: NodeName): void {
    lost[node] = [];
  }

  /** Block of a write that has not arrived, or -1. */
  function lacking(node: NodeName): number {
    for (const id of lost[node]) {
      const write = ledger.writes[id - 1];
      if (write === undefined) continue;
      for (let block = write.block; block < write.block + write.count; block++)
        if (ledger.lacks(otherNode(node), block, id)) return block;
    }
    return -1;
  }

  function check(node: NodeName): void {
    const forMs = Math.min(view.nowMs() - sinceMs[node], view.nodeCalmMs(node));
    if (lost[node].length === 0 || forMs <= AT_ONCE_MS) return;
    const block = lacking(node);
    forget(node);
    const [ours, theirs] = [view.durableMetadata(node), view.durableMetadata(otherNode(node))];
    if (block === -1 || view.diskWasBad(node) || ours === null || theirs === null) return;
    if (theirs.resuid !== ours.resuid || ours.localcnt > theirs.remotecnt) return;
    report(`${node} has acknowledged what was lost on its way, and its counters do not tell`, block);
  }

  return {
    event(node, role, event) {
      if (role !== 'primary') return;
      if (event === 'connect') forget(node);
      if (event !== 'disconnect') return;
      const { intact, unconfirmed } = ledger.facts[node];
      // What the other one had and has lost with its power was no more on its way.
      lost[node] = intact ? [...unconfirmed] : [];
      sinceMs[node] = view.nowMs();
    },
    workerEnded: forget,
    powerLost(node) {
      forget(otherNode(node));
    },
    created() {
      forget('a');
      forget('b');
    },
    passed() {
      check('a');
      check('b');
    },
  };
}
