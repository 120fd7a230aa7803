/**
 * I27, for conditions: split-brain, mismatch and double primaries last until somebody acts and show at every attempt to connect. The
 * hook runs when one begins, and not again before the nodes have connected or a role was ordered (W31).
 */
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const CONDITIONS: ReadonlySet<string> = new Set(['split-brain', 'mismatch', 'dual-primary']);

export function conditions({ view, report }: Bench): Checker {
  const told: Record<NodeName, Set<string>> = { a: new Set(), b: new Set() };

  return {
    roleOrdered(node) {
      told[node].clear();
    },
    hook(node, [event = '']) {
      if (event === 'connect' || event === 'role') told[node].clear();
      if (!CONDITIONS.has(event) || view.setup.cores[node] !== 'own') return;
      if (told[node].has(event)) report(`${node} reports ${event} again, and it has never ended`);
      told[node].add(event);
    },
  };
}
