/**
 * I19: while the primary is out of date it acknowledges no write unless the other node, its source, has it, and has flushed it: that
 * one's copy counts (W9).
 */
import { otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function sourceHasIt({ ledger, report }: Bench): Checker {
  return {
    answered({ node, write, error, block, count }) {
      if (error !== null || write === 0 || !ledger.facts[node].behind || ledger.hasAll(node)) return;
      const source = otherNode(node);
      for (let at = block; at < block + count; at++) {
        if (!ledger.lacksDurably(source, at, write)) continue;
        report(
          `${node}, out of date, acknowledges write ${String(write)}, which ${source} has not stored`,
          at,
        );
        return;
      }
    },
  };
}
