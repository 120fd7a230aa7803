/**
 * I25, the other way round: a peer that has not failed is not given up. A session that began after everything was well, and all
 * the while everything stayed so, does not end.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** What was wrong this long before a session may still be felt in it. */
const AFTERMATH_MS = 3_000;

export function noReason({ view, report }: Bench): Checker {
  const connectedMs: Record<NodeName, number> = { a: -Infinity, b: -Infinity };

  function calmMs(node: NodeName): number {
    return Math.min(view.linksCalmMs(), view.nodeCalmMs(node), view.nodeCalmMs(otherNode(node)));
  }

  return {
    event(node, role, event) {
      if (role !== 'primary') return;
      if (event === 'connect') connectedMs[node] = view.nowMs();
      if (event !== 'disconnect') return;
      const lastedMs = view.nowMs() - connectedMs[node];
      connectedMs[node] = -Infinity;
      const { a, b } = view.setup.cores;
      if (a !== 'own' || b !== 'own' || calmMs(node) <= lastedMs + AFTERMATH_MS) return;
      report(`${node} gives its peer up after ${String(lastedMs)} ms in which nothing was wrong`);
    },
  };
}
