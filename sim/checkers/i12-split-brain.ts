/**
 * I12: two nodes that both acknowledged writes alone never work together again before one is created anew. I13: nobody
 * speaks of split-brain unless both have been primary alone.
 */
import type { Bench, Checker } from './checker.js';

export function splitBrain({ ledger, report }: Bench): Checker {
  return {
    event(node, role, event) {
      const { a, b } = ledger.facts;
      if (event !== 'connect' || role !== 'primary') return;
      if (a.lone === 'acknowledged' && b.lone === 'acknowledged') {
        report(`${node} connects, although both nodes have acknowledged writes alone`);
      }
    },
  };
}

export function noFalseSplitBrain({ ledger, report }: Bench): Checker {
  return {
    event(node, _role, event) {
      const { a, b } = ledger.facts;
      if (event !== 'split-brain') return;
      if (a.lone === 'no' || b.lone === 'no') {
        const innocent = a.lone === 'no' ? 'a' : 'b';
        report(`${node} reports split-brain, but ${innocent} has never been alone`);
      }
    },
  };
}
