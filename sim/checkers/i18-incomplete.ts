/**
 * I18: a copy that is out of date, or half synchronised, is not offered without its source, unless by force. So that it can be known,
 * a mark is durable before the first sector of it is overwritten (W8).
 */
import { ofNode, otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';
import { firstBroken } from './promises.js';

export function incomplete(bench: Bench): Checker {
  const { view, ledger, report } = bench;
  return {
    diskWriteStarted(node, offset) {
      if (offset < view.dataOffset) return;
      const { worker, attached, lagging, mixed } = ofNode(ledger.facts, node);
      if (worker !== 'secondary' || !attached || !lagging || mixed) return;
      const { a, b } = view.setup.cores;
      if (a !== 'own' || b !== 'own' || view.durableMetadata(node)?.incomplete !== false) return;
      report(`${node} is written to by a synchronisation, and it is not marked as incomplete`);
    },
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
