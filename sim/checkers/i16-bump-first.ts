/** I16: before a write is acknowledged that the other node lacks, the counters on the disks tell that the node was alone. */
import { otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function bumpFirst({ view, ledger, report }: Bench): Checker {
  return {
    answered({ node, write, error, block, count, answeredIn, issuedMs }) {
      if (error !== null || write === 0 || answeredIn !== null) return;
      const other = otherNode(node);
      // It may have had the write when it answered.
      if (ledger.facts[other].powerLostMs >= issuedMs) return;
      let lacking = -1;
      for (let at = block; at < block + count; at++) if (ledger.lacks(other, at, write)) lacking = at;
      if (lacking === -1) return;
      const [ours, theirs] = [view.durableMetadata(node), view.durableMetadata(other)];
      if (ours === null || theirs === null) return;
      const told = theirs.resuid !== ours.resuid || ours.localcnt > theirs.remotecnt;
      if (ours.resuid === 0n || !told) {
        report(`${node} acknowledges write ${String(write)} alone, and its counters do not tell`, lacking);
      }
    },
  };
}
