/**
 * I3: fullsync, connected: an acknowledged write is in the image of both nodes. Not connected, or in another mode: where the
 * peer lacks it, a durable bit says so, and the own copy, or a durable mark that only the peer's is good, has it. What only
 * the peer has, it has flushed (W18).
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker, ClientRequest } from './checker.js';

export function bothCopies({ view, ledger, report }: Bench): Checker {
  /** The first block that the copy lacks; -1: there is none. */
  function missingOn(copy: NodeName, { block, count, write }: ClientRequest): number {
    for (let at = block; at < block + count; at++) if (ledger.lacks(copy, at, write)) return at;
    return -1;
  }

  /** The first block that the copy of `node` lacks, and that the other one has not flushed; -1: there is none. */
  function unsafeBlock({ node, block, count, write }: ClientRequest): number {
    for (let at = block; at < block + count; at++) {
      if (ledger.lacks(node, at, write) && ledger.lacksDurably(otherNode(node), at, write)) return at;
    }
    return -1;
  }

  return {
    answered(request) {
      const { node, write, error } = request;
      if (error !== null || write === 0) return;
      const where = `write ${String(write)} was acknowledged by ${node}`;
      const unsafe = unsafeBlock(request);
      if (unsafe !== -1) {
        report(
          `${where}, which lacks block ${String(unsafe)}, and the other node has not flushed it`,
          unsafe,
        );
      }
      const missing = missingOn(otherNode(node), request);
      if (missing === -1) return;
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
