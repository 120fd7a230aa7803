/** I23: nothing is applied or returned that was not received whole and verified: a block is one write, all of it. */
import { BLOCK_BYTES, type NodeName } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const WORDS = BLOCK_BYTES / 4;

export function whole({ view, ledger, report }: Bench): Checker {
  function inspect(words: Uint32Array, first: number, where: string, node: NodeName): void {
    for (let at = 0; at < words.length; at += WORDS) {
      const word = words[at] ?? 0;
      const block = first + at / WORDS;
      if (ledger.writeOf(word, block) === -1) {
        const what = `gets ${String(word)}, which nobody wrote there`;
        report(`${where} ${node}: block ${String(block)} ${what}`, block);
        return;
      }
      if (!isUniform(words, at, word)) {
        report(`${where} ${node}: block ${String(block)} is made of pieces`, block);
        return;
      }
    }
  }

  return {
    answered({ command, error, words, block, node }) {
      if (command === 'read' && error === null && words !== null) inspect(words, block, 'READ on', node);
    },
    diskWriteStarted(node, offset, length, source) {
      if (source === null || offset < view.dataOffset || view.metadata(node) === null) return;
      const aligned = source.byteOffset % 4 === 0 ? source : source.slice();
      const words = new Uint32Array(aligned.buffer, aligned.byteOffset, length / 4);
      inspect(words, (offset - view.dataOffset) / BLOCK_BYTES, 'disk of', node);
    },
  };
}

/** All words of the block that begins at `at` are the same; four at a time, since every block that is written comes by. */
function isUniform(words: Uint32Array, at: number, word: number): boolean {
  const end = at + WORDS;
  for (let i = at; i < end; i += 4) {
    const first = ((words[i] ?? 0) ^ word) | ((words[i + 1] ?? 0) ^ word);
    const last = ((words[i + 2] ?? 0) ^ word) | ((words[i + 3] ?? 0) ^ word);
    if ((first | last) !== 0) return false;
  }
  return true;
}
