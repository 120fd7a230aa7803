/** I27, for roles: one that changes by itself, because a worker has given up, is told to the hook (W36). */
import type { Role } from '../../core/resource/types.js';
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function roles({ view, report }: Bench): Checker {
  const known: Record<NodeName, Role> = { a: 'init', b: 'init' };
  const wasEnding: Record<NodeName, boolean> = { a: false, b: false };
  let lookedMs = 0;

  function look(node: NodeName): void {
    const role = view.role(node);
    // A main daemon that starts has no role, one that ends has lost it: neither tells anybody.
    const isDoneTo = view.nodeCalmMs(node) <= view.nowMs() - lookedMs || wasEnding[node];
    wasEnding[node] = view.isEnding(node) || !view.isUp(node);
    if (role !== known[node] && !isDoneTo && view.setup.cores[node] === 'own') {
      report(`${node} was ${known[node]} and is ${role}, and no hook ran`);
    }
    known[node] = role;
  }

  return {
    hook(node, [event]) {
      if (event === 'role') known[node] = view.role(node);
    },
    passed() {
      look('a');
      look('b');
      lookedMs = view.nowMs();
    },
  };
}
