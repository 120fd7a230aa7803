/**
 * What every copy owes when it becomes the application's: everything that the modes promised to be on it (I3, I4, I5), or
 * a FLUSH made durable (I6, I7). A block whose data only the other node has must be known as such (W18).
 */
import type { Metadata } from '../../core/metadata/codec.js';
import { BLOCK_BYTES, type NodeName } from '../script/script.js';
import type { Bench } from './checker.js';

/** The first block of the copy that lacks the write that it `owes`, by block, or -1. */
export function firstBroken(
  { view, ledger }: Bench,
  node: NodeName,
  owes: Int32Array,
  durably = false,
): number {
  const metadata = durably ? view.durableMetadata(node) : view.metadata(node);
  for (let block = 0; block < view.blocks; block++) {
    const id = owes[block] ?? 0;
    if (id === 0) continue;
    const lacks = durably ? ledger.lacksDurably(node, block, id) : ledger.lacks(node, block, id);
    if (!lacks) continue;
    if (!isKnownBad(metadata, block)) return block;
  }
  return -1;
}

/** The node's metadata says that only the other node has the newest data of the block (W18). */
export function isKnownBad(metadata: Metadata | null, block: number): boolean {
  const offset = block * BLOCK_BYTES;
  const bad = metadata?.localBad ?? [];
  return bad.some((range) => offset >= range.offset && offset < range.offset + range.length);
}
