/** I14: nothing older than what a copy must hold is ever written over it. */
import { uint32At } from '../../core/base/bytes.js';
import { BLOCK_BYTES, ofNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function oldOverNew({ view, ledger, report }: Bench): Checker {
  return {
    diskWriteStarted(node, offset, length, source) {
      if (offset < view.dataOffset || source === null) return;
      const { required } = ofNode(ledger.facts, node);
      const first = (offset - view.dataOffset) / BLOCK_BYTES;
      for (let at = 0; at < length; at += BLOCK_BYTES) {
        const block = first + at / BLOCK_BYTES;
        const id = ledger.writeOf(uint32At(source, at), block);
        const must = required[block] ?? 0;
        if (id === -1 || !ledger.isOlder(id, must)) continue;
        report(
          `${node} overwrites write ${String(must)} of block ${String(block)} with older ${String(id)}`,
          block,
        );
        return;
      }
    },
  };
}
