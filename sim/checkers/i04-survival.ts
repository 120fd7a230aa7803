/**
 * I4 (and I5, the first half): what was acknowledged with the promise that this copy has it is there when the other node is
 * lost and this one becomes primary. memsync: what the secondary had received is on its disk when it has ended in order.
 */
import type { Bench, Checker } from './checker.js';
import { firstBroken } from './promises.js';

export function survival(bench: Bench): Checker {
  const { view, ledger, report } = bench;
  return {
    deviceAppeared(node, forced) {
      const facts = ledger.facts[node];
      if (forced || facts.behind || facts.connected) return;
      const block = firstBroken(bench, node, facts.required);
      if (block === -1) return;
      const id = String(facts.required[block] ?? 0);
      report(`${node} offers a device without write ${id} to block ${String(block)}, which it had`, block);
    },
    workerEnded(node, orderly) {
      const facts = ledger.facts[node];
      if (!orderly || view.diskWasBad(node)) return;
      for (const id of facts.owed) {
        const write = ledger.writes[id - 1];
        if (write === undefined) continue;
        for (let block = write.block; block < write.block + write.count; block++) {
          if (!ledger.lacks(node, block, id)) continue;
          report(`${node} ended without write ${String(id)}, which it had received`, block);
          return;
        }
      }
    },
  };
}
