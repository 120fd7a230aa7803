/** I23: nothing is applied or returned that was not received whole and verified: a block is one write, all of it. */
import { BLOCK_BYTES } from '../script/script.js';
import type { Bench, Checker } from './checker.js';

const WORDS = BLOCK_BYTES / 4;

export function whole({ view, ledger, report }: Bench): Checker {
  function inspect(words: Uint32Array, first: number, where: string): void {
    for (let at = 0; at < words.length; at += WORDS) {
      const word = words[at] ?? 0;
      const block = first + at / WORDS;
      if (ledger.writeOf(word, block) === -1) {
        report(`${where}: block ${String(block)} gets ${String(word)}, which nobody wrote there`, block);
        return;
      }
      for (let next = at + 1; next < at + WORDS; next++) {
        if (words[next] === word) continue;
        report(`${where}: block ${String(block)} is made of pieces`, block);
        return;
      }
    }
  }

  return {
    answered({ command, error, words, block, node }) {
      if (command === 'read' && error === null && words !== null) inspect(words, block, `READ on ${node}`);
    },
    diskWriteStarted(node, offset, length, source) {
      if (source === null || offset < view.dataOffset || view.metadata(node) === null) return;
      const aligned = source.byteOffset % 4 === 0 ? source : source.slice();
      const words = new Uint32Array(aligned.buffer, aligned.byteOffset, length / 4);
      inspect(words, (offset - view.dataOffset) / BLOCK_BYTES, `disk of ${node}`);
    },
  };
}
