/**
 * I22: a write and a synchronisation chunk never undo each other: a chunk brings what the other copy holds, and not what it held
 * before a write of this session.
 */
import type { Bench, Checker } from './checker.js';

export function chunks({ origins, report }: Bench): Checker {
  return {
    diskWriteStarted(node) {
      const { origin, block, word } = origins;
      if (origin !== 'overtaken') return;
      report(
        `${node} writes ${String(word)} to block ${String(block)}, which was overwritten on the other node`,
        block,
      );
    },
  };
}
