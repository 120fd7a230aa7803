/** I10: the dirty bit of an extent is durable before a write to it is issued anywhere. */
import { BLOCK_BYTES, otherNode } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function bitFirst({ view, report }: Bench): Checker {
  return {
    diskWriteStarted(node, offset, length) {
      if (offset < view.dataOffset) return;
      const block = (offset - view.dataOffset) / BLOCK_BYTES;
      const last = Math.floor((block + length / BLOCK_BYTES - 1) / view.blocksPerExtent);
      for (let extent = Math.floor(block / view.blocksPerExtent); extent <= last; extent++) {
        if (view.durableBit(node, extent) || view.durableBit(otherNode(node), extent)) continue;
        // The map of a copy that was created since its last session is gone; it will be copied whole.
        if (view.metadata(otherNode(node))?.resuid === 0n && view.role(node) === 'secondary') continue;
        report(`${node} writes extent ${String(extent)} before any disk has its bit`, block);
        return;
      }
    },
  };
}
