/**
 * I11: a secondary erases the bits of its map only when the primary's map has them durably, or the copies are equal there. A
 * primary clears one only when both copies are equal, and would be after power failures (I8).
 */
import { otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const METADATA_BYTES = 4096;

export function mapErased({ view, ledger, report }: Bench): Checker {
  /** The bits as they were on each disk. */
  const known: Record<NodeName, Uint8Array> = {
    a: new Uint8Array(view.extents),
    b: new Uint8Array(view.extents),
  };

  function remember(node: NodeName): void {
    for (let extent = 0; extent < view.extents; extent++) {
      known[node][extent] = view.visibleBit(node, extent) ? 1 : 0;
    }
  }

  /** The first block of the extent in which the copies differ; `durably`: or might after a power failure. */
  function differsAt(extent: number, durably: boolean): number {
    const first = extent * view.blocksPerExtent;
    for (let block = first; block < first + view.blocksPerExtent; block++) {
      if (ledger.isUnused(block)) continue;
      const word = view.visible('a', block);
      if (word !== view.visible('b', block)) return block;
      if (durably && (word !== view.durable('a', block) || word !== view.durable('b', block))) return block;
    }
    return -1;
  }

  /** Two copies of one history; a new one is copied whole, and of two histories one is thrown away. */
  function belongTogether(): boolean {
    const [a, b] = [view.durableMetadata('a'), view.durableMetadata('b')];
    if (a === null || b === null || a.resuid === 0n || a.resuid !== b.resuid) return false;
    return ledger.facts.a.lone === 'no' || ledger.facts.b.lone === 'no';
  }

  function cleared(node: NodeName, extent: number): void {
    if (view.durableBit(otherNode(node), extent)) return;
    const { worker } = ledger.facts[node];
    const block = differsAt(extent, worker === 'primary');
    if (block === -1 || worker === null || !belongTogether()) return;
    report(
      `${node}, ${worker}, clears the bit of extent ${String(extent)}, but block ${String(block)} may differ`,
      block,
    );
  }

  return {
    diskWritten(node, offset) {
      if (offset < METADATA_BYTES || offset >= view.dataOffset) return;
      for (let extent = 0; extent < view.extents; extent++) {
        if (known[node][extent] === 1 && !view.visibleBit(node, extent)) cleared(node, extent);
      }
      remember(node);
    },
    powerLost: remember,
    created: remember,
  };
}
