/**
 * I29: a primary that ends in order while it is connected, and nothing is wrong, loses no acknowledged write in any mode: what it
 * acknowledged in the session is on the other copy, and everything if they had become equal.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** What was wrong so long before the end began may still keep something waiting. */
const AFTERMATH_MS = 1_000;
const SLOW_AFTERMATH_MS = 60_000;

export function orderly({ view, ledger, report }: Bench): Checker {
  /** The copies have been equal in the present session. */
  const wasEqual: Record<NodeName, boolean> = { a: false, b: false };
  /** Writes up to this one were acknowledged before the session. */
  const since: Record<NodeName, number> = { a: 0, b: 0 };

  /** Anything, since it was told to end, that may use up the time that a peer is given. */
  function excused(node: NodeName): boolean {
    const other = otherNode(node);
    if (view.diskWasBad(node) || view.diskWasBad(other)) return true;
    const endingMs = view.nodeCalmMs(node) + AFTERMATH_MS;
    const isSlow = view.nowMs() - view.slowAtMs() < SLOW_AFTERMATH_MS;
    return isSlow || Math.min(view.linksCalmMs(), view.nodeCalmMs(other)) <= endingMs;
  }

  return {
    event(node, role, event) {
      if (role !== 'primary' || event !== 'connect') return;
      wasEqual[node] = false;
      since[node] = ledger.writes.length;
    },
    agreed(primary) {
      wasEqual[primary] = true;
    },
    workerEnded(node, isOrderly, role) {
      const { connected, intact, behind, required } = ledger.facts[node];
      if (!isOrderly || role !== 'primary' || !connected || !intact || behind || excused(node)) return;
      const other = otherNode(node);
      for (let block = 0; block < view.blocks; block++) {
        const must = required[block] ?? 0;
        if (!wasEqual[node] && must <= since[node]) continue;
        if (!ledger.lacks(other, block, must)) continue;
        report(
          `${node} has ended in order, and ${other} lacks write ${String(must)} of block ${String(block)}`,
          block,
        );
        return;
      }
    },
  };
}
