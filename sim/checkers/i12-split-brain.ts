/**
 * I12: two nodes that both acknowledged writes alone never work together again before one is created anew. I13: nobody
 * speaks of split-brain unless both have been primary alone.
 */
import { otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function splitBrain({ ledger, report }: Bench): Checker {
  return {
    event(node, role, event) {
      const { a, b } = ledger.facts;
      if (event !== 'connect' || role !== 'primary') return;
      // The answer of a worker that is gone, and wrote nothing alone while it lived, may still be on its way.
      if (!ledger.facts[otherNode(node)].greeted) return;
      if (a.lone === 'acknowledged' && b.lone === 'acknowledged') {
        report(`${node} connects, although both nodes have acknowledged writes alone`);
      }
    },
  };
}

export function noFalseSplitBrain({ view, ledger, report }: Bench): Checker {
  // Who uses an incomplete copy by force breaks with the other one, written or not.
  let wasForced = false;
  let createdMs = -Infinity;
  return {
    deviceAppeared(_node, forced) {
      wasForced ||= forced;
    },
    created() {
      createdMs = view.nowMs();
    },
    event(node, _role, event) {
      const { a, b } = ledger.facts;
      if (event !== 'split-brain' || wasForced) return;
      // The verdict about a copy that has been created anew since may still be on its way.
      if (view.nowMs() - createdMs < view.setup.timeout * 1000) return;
      if (a.lone === 'no' || b.lone === 'no') {
        const innocent = a.lone === 'no' ? 'a' : 'b';
        report(`${node} reports split-brain, but ${innocent} has never been alone`);
      }
    },
  };
}
