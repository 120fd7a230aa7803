/**
 * What an application was told about its data, block by block, and so what may be found where it wrote. A write that
 * was acknowledged and then covered by an acknowledged flush must be there after anything; one that was only
 * acknowledged must be there as long as a node lives that has it; one that was not acknowledged may be there, in part.
 *
 * Every sector says which write it belongs to, so a look at the medium is enough.
 */
import { SECTOR_BYTES } from './volatile-disk.js';

export const BLOCK_BYTES = 4096;
const SECTORS_PER_BLOCK = BLOCK_BYTES / SECTOR_BYTES;
const WORDS_PER_BLOCK = BLOCK_BYTES / 4;
const WORDS_PER_SECTOR = SECTOR_BYTES / 4;
const MAGIC = 0x48415354;

/** One write of whole blocks; `stamp` is unique and grows. */
export interface StampedWrite {
  readonly firstBlock: number;
  readonly blocks: number;
  readonly stamp: number;
}

/** What must have survived. */
export type Promised = 'acknowledged' | 'flushed';

export interface Finding {
  /** Sentences about what must not be. */
  readonly violations: readonly string[];
  /** Blocks whose last acknowledged content is not there, though it may be missing. */
  readonly lostBlocks: number;
}

interface BlockHistory {
  /** Stamps of the writes that may be found, oldest first; 0 is the block before anything was written. */
  readonly issued: number[];
  acknowledged: number;
  flushed: number;
}

export class Ledger {
  readonly blocks: number;
  readonly #histories: BlockHistory[] = [];
  /** Acknowledged, in order, and not yet covered by a flush. */
  #unflushed: StampedWrite[] = [];
  #acknowledgements = 0;

  constructor(blocks: number) {
    this.blocks = blocks;
    for (let block = 0; block < blocks; block++) {
      this.#histories.push({ issued: [0], acknowledged: 0, flushed: 0 });
    }
  }

  /** How many writes were acknowledged; a flush that is sent now will cover these. */
  get acknowledgements(): number {
    return this.#acknowledgements;
  }

  issued(write: StampedWrite): void {
    this.#each(write, (history) => history.issued.push(write.stamp));
  }

  acknowledged(write: StampedWrite): void {
    this.#acknowledgements++;
    this.#unflushed.push(write);
    this.#each(write, (history) => {
      history.acknowledged = write.stamp;
    });
  }

  /** A flush was answered that had been sent after so many acknowledgements. */
  flushed(acknowledgements: number): void {
    const first = this.#acknowledgements - this.#unflushed.length;
    const covered = this.#unflushed.slice(0, Math.max(0, acknowledgements - first));
    this.#unflushed = this.#unflushed.slice(covered.length);
    for (const write of covered) {
      this.#each(write, (history) => {
        history.flushed = write.stamp;
        while ((history.issued[0] ?? write.stamp) < write.stamp) history.issued.shift();
      });
    }
  }

  /** After a loss that is allowed: what was only acknowledged is promised no more. */
  forgive(): void {
    for (const history of this.#histories) history.acknowledged = history.flushed;
    this.#unflushed = [];
  }

  /** Judges the content of all blocks; there may be more behind it. */
  judge(content: Uint8Array, promised: Promised): Finding {
    const violations: string[] = [];
    let lostBlocks = 0;
    const aligned = content.byteOffset % 4 === 0 ? content : content.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, this.blocks * WORDS_PER_BLOCK);
    for (const [block, history] of this.#histories.entries()) {
      let isLost = false;
      for (let sector = 0; sector < SECTORS_PER_BLOCK; sector++) {
        const stamp = stampOf(words, block, sector);
        const wrong = fault(history, stamp, promised);
        if (wrong !== null) violations.push(`block ${block}, sector ${sector}: ${wrong}`);
        else if (stamp !== null && stamp < history.acknowledged) isLost = true;
      }
      if (isLost) lostBlocks++;
    }
    return { violations, lostBlocks };
  }

  #each({ firstBlock, blocks }: StampedWrite, visit: (history: BlockHistory) => void): void {
    for (const history of this.#histories.slice(firstBlock, firstBlock + blocks)) visit(history);
  }
}

function fault(history: BlockHistory, stamp: number | null, promised: Promised): string | null {
  const least = history[promised];
  const expected = `${least}${promised === 'flushed' ? ', acknowledged and flushed' : ', acknowledged'}`;
  if (stamp === null)
    return `neither zeros nor anything that was ever written there (expected write ${expected})`;
  if (stamp < least) return `write ${stamp} instead of ${expected}`;
  return history.issued.includes(stamp) ? null : `write ${stamp}, which was never sent here`;
}

/** What a write writes. */
export function bytesOf({ firstBlock, blocks, stamp }: StampedWrite): Uint8Array {
  const words = new Uint32Array(blocks * WORDS_PER_BLOCK);
  for (let at = 0; at < words.length; at += 4) {
    words[at] = firstBlock + Math.floor(at / WORDS_PER_BLOCK);
    words[at + 1] = Math.floor(at / WORDS_PER_SECTOR) % SECTORS_PER_BLOCK;
    words[at + 2] = stamp;
    words[at + 3] = MAGIC ^ stamp;
  }
  return new Uint8Array(words.buffer);
}

/** The write that a sector is from; 0 for zeros, null for anything that no write put there. */
function stampOf(words: Uint32Array, block: number, sector: number): number | null {
  const from = block * WORDS_PER_BLOCK + sector * WORDS_PER_SECTOR;
  const stamp = words[from + 2] ?? 0;
  const isWritten = stamp !== 0;
  const [first, second, last] = isWritten ? [block, sector, (MAGIC ^ stamp) >>> 0] : [0, 0, 0];
  for (let at = from; at < from + WORDS_PER_SECTOR; at += 4) {
    if (words[at] !== first || words[at + 1] !== second) return null;
    if (words[at + 2] !== stamp || words[at + 3] !== last) return null;
  }
  return stamp;
}
