/** I9: when a synchronisation says that it is complete, and nothing is under way, the images are equal. */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function equal({ view, ledger, report }: Bench): Checker {
  function inspect(primary: NodeName, quiet: boolean): void {
    const other = otherNode(primary);
    for (let block = 0; block < view.blocks; block++) {
      const [ours, theirs] = [view.visible(primary, block), view.visible(other, block)];
      if (ours === theirs) continue;
      const pending = [ours, theirs].some((word) =>
        mayBeUnderWay(primary, ledger.writeOf(word, block), block),
      );
      if (!quiet && pending) continue;
      const found = `${primary} holds write ${String(ours)}, ${other} write ${String(theirs)}`;
      report(`in sync, but block ${String(block)} differs: ${found}`, block);
      return;
    }
  }

  /** Not answered yet, acknowledged and still on its way to the other node, or given up moments ago. */
  function mayBeUnderWay(primary: NodeName, id: number, block: number): boolean {
    const since = ledger.endedAt(id);
    if (since === Infinity || ledger.facts[primary].unconfirmed.includes(id)) return true;
    return view.underWay(primary, block);
  }

  return {
    agreed(primary) {
      inspect(primary, false);
    },
    quiet(primary) {
      inspect(primary, true);
    },
  };
}
