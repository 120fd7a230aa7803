/**
 * I6, I7: what was acknowledged and then covered by an acknowledged FLUSH survives power failures: of both nodes when both
 * took part, of the secondary alone, and again after it was synchronised.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';
import { firstBroken } from './promises.js';

export function flushed(bench: Bench): Checker {
  const { ledger, report } = bench;
  const check = (node: NodeName, owes: Int32Array, when: string): void => {
    const block = firstBroken(bench, node, owes, true);
    if (block === -1) return;
    report(
      `${node} lacks flushed write ${String(owes[block] ?? 0)} of block ${String(block)} ${when}`,
      block,
    );
  };
  return {
    answered(request) {
      const { error, node, covers } = request;
      if (error !== null || covers === null) return;
      check(node, covers[node], 'when the FLUSH is acknowledged');
      if (ledger.isShared(request) && !ledger.facts[node].behind) {
        check(otherNode(node), covers[otherNode(node)], 'when the FLUSH is acknowledged');
      }
    },
    powerLost(node) {
      check(node, ledger.facts[node].durable, 'after a power failure');
    },
  };
}
