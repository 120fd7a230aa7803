/**
 * I9: when a synchronisation says that it is complete, and nothing is under way, the images are equal; but for what the primary
 * knows to be bad on its own disk (W18), which the other copy need not wait for.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';
import { isKnownBad } from './promises.js';

export function equal({ view, ledger, report }: Bench): Checker {
  function inspect(primary: NodeName, quiet: boolean): void {
    const other = otherNode(primary);
    for (let block = 0; block < view.blocks; block++) {
      const ours = view.visible(primary, block);
      const theirs = view.visible(other, block);
      if (ours === theirs || ledger.isUnused(block)) continue;
      if (!quiet && isKnownBad(view.metadata(primary), block)) continue;
      if (
        !quiet &&
        mayStillChange(primary, block, ledger.writeOf(ours, block), ledger.writeOf(theirs, block))
      ) {
        continue;
      }
      const found = `${primary} holds write ${String(ours)}, ${other} write ${String(theirs)}`;
      report(`in sync, but block ${String(block)} differs: ${found}`, block);
      return;
    }
  }

  /** Neither is older than the other, or one is on its way: not answered, or acknowledged before the other node has it. */
  function mayStillChange(primary: NodeName, block: number, ours: number, theirs: number): boolean {
    if (!ledger.isOlder(ours, theirs) && !ledger.isOlder(theirs, ours)) return true;
    return isOnItsWay(primary, ours) || isOnItsWay(primary, theirs) || view.underWay(primary, block);
  }

  function isOnItsWay(primary: NodeName, id: number): boolean {
    return ledger.endedAt(id) === Infinity || ledger.facts[primary].unconfirmed.includes(id);
  }

  return {
    agreed(primary) {
      // What a power failure has just taken there is not known yet.
      if (ledger.facts[primary].intact) inspect(primary, false);
    },
    quiet(primary) {
      inspect(primary, true);
    },
  };
}
