/** I5: async: an acknowledged write is in the primary's image, and at most 256 of them are not on the secondary's yet. */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker, ClientRequest } from './checker.js';
import { isKnownBad } from './promises.js';

const MOST_BEHIND = 256;

export function asynchronous({ view, ledger, report }: Bench): Checker {
  function lacks(node: NodeName, id: number): boolean {
    const write = ledger.writes[id - 1];
    if (write === undefined) return false;
    for (let block = write.block; block < write.block + write.count; block++) {
      if (ledger.lacks(node, block, id)) return true;
    }
    return false;
  }

  function missingHere({ node, block, count, write }: ClientRequest): number {
    for (let at = block; at < block + count; at++) {
      if (ledger.lacks(node, at, write) && !isKnownBad(view.metadata(node), at)) return at;
    }
    return -1;
  }

  return {
    answered(request) {
      const { node, write, error } = request;
      if (error !== null || write === 0 || view.mode(node) !== 'async' || !view.modeSettled(node)) return;
      const missing = missingHere(request);
      if (missing !== -1) {
        report(
          `${node} acknowledges write ${String(write)}, and lacks block ${String(missing)} of it`,
          missing,
        );
      }
      const { connected, intact, unconfirmed } = ledger.facts[node];
      if (!connected || !intact || unconfirmed.length < MOST_BEHIND) return;
      const other = otherNode(node);
      const behind = [...unconfirmed, write].filter((id) => lacks(other, id)).length;
      if (behind > MOST_BEHIND) report(`${other} lags by ${String(behind)} acknowledged writes`);
    },
  };
}
