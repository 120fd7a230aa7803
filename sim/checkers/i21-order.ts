/**
 * I21: overlapping writes end in the same order on both nodes. A disk orders nothing by itself, so two writes that overlap are never
 * under way on it at the same time; and what both nodes have executed is the same on both.
 */
import { BLOCK_BYTES, otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker, ClientRequest } from './checker.js';

const METADATA_BYTES = 4096;

/** What a FLUSH must have brought to both nodes. */
interface Flush {
  readonly writes: readonly ClientRequest[];
  /** Time of the ledger. */
  readonly issuedAt: number;
}

/** Two writes that overlap are never under way at the same time on one disk. */
export function overlaps({ view, report }: Bench): Checker {
  /** Writes under way by block; the metadata block and the map are one place each, before the blocks. */
  const underWay: Record<NodeName, Uint16Array> = {
    a: new Uint16Array(view.blocks + 2),
    b: new Uint16Array(view.blocks + 2),
  };

  function placeOf(offset: number): number {
    if (offset >= view.dataOffset) return 2 + (offset - view.dataOffset) / BLOCK_BYTES;
    return offset < METADATA_BYTES ? 0 : 1;
  }

  return {
    diskWriteStarted(node, offset, length) {
      const counts = underWay[node];
      const last = placeOf(offset + length - BLOCK_BYTES);
      let overlap = -1;
      for (let at = placeOf(offset); at <= last; at++) {
        const count = counts[at] ?? 0;
        if (count > 0) overlap = at;
        counts[at] = count + 1;
      }
      if (overlap < 0) return;
      const what = overlap > 1 ? `block ${String(overlap - 2)}` : overlap === 0 ? 'the metadata' : 'the map';
      const block = overlap > 1 ? overlap - 2 : undefined;
      report(`${node} writes ${what} twice at the same time: either may end last`, block);
    },
    diskWriteEnded(node, offset, length) {
      const counts = underWay[node];
      const last = placeOf(offset + length - BLOCK_BYTES);
      for (let at = placeOf(offset); at <= last; at++) counts[at] = (counts[at] ?? 1) - 1;
    },
  };
}

/** What both nodes have executed is the same on both. */
export function order({ view, ledger, report }: Bench): Checker {
  /** Acknowledged since the last FLUSH was issued. */
  const recent: Record<NodeName, ClientRequest[]> = { a: [], b: [] };
  const flushes = new Map<ClientRequest, Flush>();

  function isTogether(request: ClientRequest): boolean {
    if (!ledger.isShared(request)) return false;
    // Who has become primary itself may have written alone before the session is known to be over.
    if (view.role(otherNode(request.node)) !== 'secondary') return false;
    return !view.diskWasBad('a') && !view.diskWasBad('b');
  }

  /** Both nodes have executed the write and everything before it. */
  function compare({ node, block, count }: ClientRequest, before: number): void {
    const other = otherNode(node);
    for (let at = block; at < block + count; at++) {
      const [ours, theirs] = [view.visible(node, at), view.visible(other, at)];
      if (ours === theirs || !isOver(ours, at, before) || !isOver(theirs, at, before)) continue;
      if (view.underWay(node, at)) continue;
      report(
        `block ${String(at)} ends as write ${String(ours)} on ${node}, and as ${String(theirs)} on ${other}`,
        at,
      );
      return;
    }
  }

  function isOver(word: number, block: number, before: number): boolean {
    const id = ledger.writeOf(word, block);
    return id >= 0 && ledger.endedAt(id) < before;
  }

  return {
    issued(request) {
      if (request.covers === null) return;
      flushes.set(request, { writes: recent[request.node], issuedAt: ledger.now });
      recent[request.node] = [];
    },
    answered(request) {
      const { node, write, error } = request;
      const flush = flushes.get(request);
      flushes.delete(request);
      if (error !== null || !isTogether(request)) return;
      if (flush !== undefined) {
        for (const each of flush.writes) if (each.session === request.session) compare(each, flush.issuedAt);
      } else if (write !== 0) {
        recent[node].push(request);
        if (view.mode(node) === 'fullsync' && view.modeSettled(node)) compare(request, ledger.now);
      }
    },
    deviceVanished(node) {
      recent[node] = [];
      for (const request of flushes.keys()) if (request.node === node) flushes.delete(request);
    },
  };
}
