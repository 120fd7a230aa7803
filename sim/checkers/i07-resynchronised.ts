/**
 * I7: what was acknowledged and covered by a FLUSH survives when the secondary loses its power, is synchronised again, and then the
 * primary is lost: once the copies are said to be equal, the target has all of it, durably.
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';
import { firstBroken } from './promises.js';

export function resynchronised(bench: Bench): Checker {
  const { ledger, report } = bench;
  const inspect = (primary: NodeName): void => {
    const source = ledger.facts[primary].behind ? otherNode(primary) : primary;
    const target = otherNode(source);
    const { durable } = ledger.facts[source];
    const block = firstBroken(bench, target, durable, true);
    if (block === -1) return;
    const id = String(durable[block] ?? 0);
    report(
      `in sync, but ${target} may lose flushed write ${id} of block ${String(block)} with its power`,
      block,
    );
  };
  return { agreed: inspect, quiet: inspect };
}
