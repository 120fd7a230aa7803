/** I18: a copy that is out of date, or half synchronised, is not offered without its source, unless by force. */
import { otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';
import { firstBroken } from './promises.js';

export function incomplete(bench: Bench): Checker {
  const { ledger, report } = bench;
  return {
    deviceAppeared(node, forced) {
      const facts = ledger.facts[node];
      if (forced || facts.connected || !facts.mixed) return;
      const { required } = ledger.facts[otherNode(node)];
      const block = firstBroken(bench, node, required);
      if (block === -1) return;
      report(`${node} offers a copy that is not complete: block ${String(block)} is old`, block);
    },
  };
}
