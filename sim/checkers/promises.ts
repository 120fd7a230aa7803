/**
 * What every copy owes when it becomes the application's: everything that the modes promised to be on it (I3, I4, I5), or
 * a FLUSH made durable (I6, I7). A block whose data only the other node has must be known as such (W18).
 */
import type { NodeName } from '../script/script.js';
import type { Bench } from './checker.js';

/** The first block of the copy that lacks what it must hold, or -1. */
export function firstBroken(
  { view, ledger }: Bench,
  node: NodeName,
  owes: (block: number) => number,
  durably = false,
): number {
  const bad = (durably ? view.durableMetadata(node) : view.metadata(node))?.localBad ?? [];
  for (let block = 0; block < view.blocks; block++) {
    const id = owes(block);
    if (id === 0) continue;
    const lacks = durably ? ledger.lacksDurably(node, block, id) : ledger.lacks(node, block, id);
    if (!lacks) continue;
    const offset = block * 512;
    if (bad.some((range) => offset >= range.offset && offset < range.offset + range.length)) continue;
    return block;
  }
  return -1;
}
