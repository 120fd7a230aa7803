/** Contents of components as the recordings describe them. */
import { createHash } from 'node:crypto';
import type { NodeState, Piece } from './recording.js';

/** `length` bytes of a pattern of `reference/wire/README.md`. */
export function patternBytes(pattern: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (pattern === 'zeros') return bytes;
  if (pattern === 'mixed') {
    return bytes.map((_, i) => (i % 1024 < 512 ? 'abcd'.charCodeAt(i % 4) : 0));
  }
  const seed = /^sha:(.*)$/.exec(pattern)?.[1];
  if (seed === undefined) throw new Error(`unknown pattern '${pattern}'`);
  for (let at = 0, i = 0; at < length; i++) {
    const digest = createHash('sha256')
      .update(`${seed}:${String(i)}`)
      .digest()
      .subarray(0, length - at);
    bytes.set(digest, at);
    at += digest.length;
  }
  return bytes;
}

/** The data area of a node. */
export function dataArea({ datasize, data }: Pick<NodeState, 'datasize' | 'data'>): Uint8Array {
  const area = new Uint8Array(datasize);
  if (data !== 'zeros') for (const piece of data) lay(area, piece);
  return area;
}

function lay(area: Uint8Array, { offset, length, pattern }: Piece): void {
  area.set(patternBytes(pattern, length), offset);
}
