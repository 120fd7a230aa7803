/** I28: the resource id of a node changes only from 0, and never back, except by `create`. */
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const METADATA_BYTES = 4096;

export function resourceId({ view, report }: Bench): Checker {
  const known: Record<NodeName, bigint> = { a: 0n, b: 0n };

  function remember(node: NodeName): void {
    known[node] = view.metadata(node)?.resuid ?? known[node];
  }

  return {
    diskWritten(node, offset) {
      if (offset >= METADATA_BYTES) return;
      const before = known[node];
      remember(node);
      if (before === 0n || before === known[node]) return;
      report(`${node} had the resource id ${String(before)}, and now has ${String(known[node])}`);
    },
    // An id that was not durable is lost.
    powerLost: remember,
    created: remember,
  };
}
