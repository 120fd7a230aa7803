/**
 * I8b, the other half: what nobody wrote need not be copied. Some time after the last write and the end of the synchronisation the
 * disk of the primary marks no more than the extents that it keeps dirty, and that of the secondary none.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

/** Bits go with the next flush of both nodes, which is due 5 s after a write; an idle peer is asked for something every 10 s. */
const SETTLED_MS = 25_000;

export function precision({ view, ledger, report }: Bench): Checker {
  let changedMs = 0;
  const told: Record<NodeName, boolean> = { a: false, b: false };

  function bits(node: NodeName): number {
    let count = 0;
    for (let extent = 0; extent < view.extents; extent++) if (view.visibleBit(node, extent)) count++;
    return count;
  }

  function check(primary: NodeName): void {
    const secondary = otherNode(primary);
    const { connected, intact } = ledger.facts[primary];
    const calmMs = Math.min(view.nodeCalmMs('a'), view.nodeCalmMs('b'), view.linksCalmMs());
    const restMs = Math.min(calmMs, view.nowMs() - changedMs);
    if (told[primary] || !connected || !intact || restMs <= SETTLED_MS || view.status(primary)?.dirty !== 0)
      return;
    if (view.outstanding() > 0 || view.diskWasBad('a') || view.diskWasBad('b')) return;
    const most = view.setup.keepdirty[primary];
    const [ours, theirs] = [bits(primary), bits(secondary)];
    if (ours > most)
      report(`${primary} marks ${String(ours)} extents, of ${String(most)} that it keeps dirty`);
    if (theirs > 0) report(`${secondary}, secondary and in sync, marks ${String(theirs)} extents`);
    told[primary] = ours > most || theirs > 0;
  }

  return {
    issued() {
      changedMs = view.nowMs();
    },
    answered() {
      changedMs = view.nowMs();
    },
    event() {
      changedMs = view.nowMs();
      told.a = told.b = false;
    },
    passed() {
      check('a');
      check('b');
    },
  };
}
