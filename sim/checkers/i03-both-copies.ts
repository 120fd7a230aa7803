/**
 * I3: fullsync, connected: an acknowledged write is in the image of both nodes. Not connected, or in another mode: where the
 * peer lacks it, a durable bit says so, and the own copy, or a durable mark that only the peer's is good, has it.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker, ClientRequest } from './checker.js';

export function bothCopies({ view, ledger, report }: Bench): Checker {
  /** The first block that these copies, all of them, lack. */
  function missingOn({ block, count, write }: ClientRequest, copies: readonly NodeName[]): number {
    for (let at = block; at < block + count; at++) {
      if (copies.every((copy) => ledger.lacks(copy, at, write))) return at;
    }
    return -1;
  }

  return {
    answered(request) {
      const { node, write, error } = request;
      if (error !== null || write === 0) return;
      const missing = missingOn(request, [otherNode(node)]);
      const where = `write ${String(write)} was acknowledged by ${node}`;
      if (missing === -1) return;
      const nowhere = missingOn(request, ['a', 'b']);
      if (nowhere !== -1) report(`${where}, and block ${String(nowhere)} is on no disk`, nowhere);
      // A disk that cannot delete: the range is copied to it, zeros and all.
      const canFollow = request.command !== 'delete' || !view.diskWasBad(otherNode(node));
      const isFullsync = view.mode(node) === 'fullsync' && view.modeSettled(node);
      if (canFollow && isFullsync && ledger.isShared(request)) {
        report(`${where} in fullsync, connected, and the other node lacks block ${String(missing)}`, missing);
      }
      if (!view.durableBit(node, Math.floor(missing / view.blocksPerExtent))) {
        report(`${where}, the other node lacks block ${String(missing)}, and no bit says so`, missing);
      }
    },
  };
}
