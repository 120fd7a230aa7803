/**
 * I24: user data is changed only by a WRITE, a DELETE or a synchronisation, inside its range. In front of it are the metadata
 * block, which is always written whole and valid, and the map; nothing is written across these borders.
 */
import type { NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const METADATA_BYTES = 4096;

export function inside({ view, origins, report }: Bench): Checker {
  const datasize = view.extents * view.setup.extentBytes;

  function regionOf(offset: number): 'metadata' | 'map' | 'data' | 'nothing' {
    if (offset < METADATA_BYTES) return offset < 0 ? 'nothing' : 'metadata';
    if (offset < view.dataOffset) return 'map';
    return offset < view.dataOffset + datasize ? 'data' : 'nothing';
  }

  function faultOfMetadata(node: NodeName, length: number, source: Uint8Array | null): string | null {
    const found = length === METADATA_BYTES && source !== null ? view.decode(node, source) : null;
    if (found === null) return 'metadata that nobody can read';
    const fits = found.localoff === view.dataOffset && found.extentsize === view.setup.extentBytes;
    return fits && found.datasize === datasize ? null : 'the metadata of another component';
  }

  return {
    diskWriteStarted(node, offset, length, source) {
      const region = regionOf(offset);
      if (region !== regionOf(offset + length - 1) || region === 'nothing') {
        report(`${node} writes ${String(length)} bytes at ${String(offset)}, across a border`);
      } else if (region === 'metadata') {
        const fault = faultOfMetadata(node, length, source);
        if (fault !== null) report(`${node} writes ${fault}`);
      } else if (region === 'data' && origins.origin === 'nobody') {
        const { block, word } = origins;
        report(`${node} writes ${String(word)} to block ${String(block)}: nobody asked for it`, block);
      }
    },
  };
}
