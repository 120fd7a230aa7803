/**
 * I1: a READ returns the last acknowledged write of each block, or a newer one. A write without an answer may have happened
 * or not; once a READ has shown it, later ones may not go back behind it.
 */
import type { Bench, Checker, ClientRequest } from './checker.js';
import type { Term } from './facts.js';

const WORDS = 128;

export function reads({ ledger, report }: Bench): Checker {
  /** Why the block cannot hold that, or null. */
  function fault(request: ClientRequest, term: Term, block: number, word: number): string | null {
    const write = ledger.writeOf(word, block, request.node);
    if (write === -1) return `${String(word)}, which nobody wrote there`;
    const floor = request.floors?.[block - request.block] ?? 0;
    const record = ledger.writes[write - 1];
    if (record?.term === term) {
      if (ledger.endedAt(write) <= floor) return `write ${String(write)}, which had been overwritten`;
      ledger.observed(term, block, word);
      return null;
    }
    if (floor > 0) return `write ${String(write)}, older than what was acknowledged since`;
    const must = term.must[block] ?? 0;
    if (ledger.isOlder(ledger.writeOf(word, block), must))
      return `write ${String(write)}, older than write ${String(must)}`;
    if (word !== term.base[0][block] && word !== term.base[1][block]) {
      return `write ${String(write)}, which was not on the copy when the device appeared`;
    }
    ledger.observed(term, block, word);
    return null;
  }

  return {
    answered(request) {
      const { command, error, term, words } = request;
      if (command !== 'read' || error !== null || term === null || words === null) return;
      if (request.issuedMs <= term.rebasedMs) return;
      for (let index = 0; index < request.count; index++) {
        const block = request.block + index;
        const found = fault(request, term, block, words[index * WORDS] ?? 0);
        if (found !== null) {
          report(`READ of block ${String(block)} on ${request.node} returned ${found}`, block);
          return;
        }
      }
    },
  };
}
