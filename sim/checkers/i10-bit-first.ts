/** I10: the dirty bit of an extent is durable before a write to it is issued anywhere. */
import { BLOCK_BYTES, otherNode, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

export function bitFirst({ view, report }: Bench): Checker {
  /** A bad sector is written back with what both copies hold: nothing can differ. */
  function repairs(node: NodeName, offset: number, source: Uint8Array | null): boolean {
    if (source === null) return false;
    const words = new DataView(source.buffer, source.byteOffset, source.byteLength);
    for (let at = 0; at < source.byteLength; at += BLOCK_BYTES) {
      const block = (offset - view.dataOffset + at) / BLOCK_BYTES;
      const word = words.getUint32(at, true);
      if (view.visible(node, block) !== word || view.visible(otherNode(node), block) !== word) return false;
    }
    return true;
  }

  return {
    diskWriteStarted(node, offset, length, source) {
      if (offset < view.dataOffset) return;
      const block = (offset - view.dataOffset) / BLOCK_BYTES;
      const last = Math.floor((block + length / BLOCK_BYTES - 1) / view.blocksPerExtent);
      for (let extent = Math.floor(block / view.blocksPerExtent); extent <= last; extent++) {
        if (view.durableBit(node, extent) || view.durableBit(otherNode(node), extent)) continue;
        // The map of a copy that was created since its last session is gone; it will be copied whole.
        if (view.metadata(otherNode(node))?.resuid === 0n && view.role(node) === 'secondary') continue;
        if (repairs(node, offset, source)) return;
        report(`${node} writes extent ${String(extent)} before any disk has its bit`, block);
        return;
      }
    },
  };
}
