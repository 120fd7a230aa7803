/**
 * Where the data of a disk write comes from, told from outside: a request of the application that is under way or belongs to
 * the session, or what is on the other copy, which a synchronisation brings. Judges of writes share what is found here.
 */
import { uint32At } from '../../core/base/bytes.js';
import { BLOCK_BYTES, ofNode, otherNode, type NodeName } from '../script/script.js';
import type { Ledger } from './ledger.js';
import type { View } from './view.js';

export type Origin =
  /** Every block is what the application asks for, or what the other copy holds; or it cannot be told. */
  | 'legitimate'
  /** Something that the other copy held before it was written to in this very session. */
  | 'overtaken'
  /** Something that nobody can have sent in this session. */
  | 'another-session'
  /** There is no session, and nobody has asked for it. */
  | 'nobody';

export class Origins {
  readonly #view: View;
  readonly #ledger: Ledger;
  /** Of the disk write that begins now: the worst of its blocks. */
  origin: Origin = 'legitimate';
  block = -1;
  word = 0;

  constructor(view: View, ledger: Ledger) {
    this.#view = view;
    this.#ledger = ledger;
  }

  /** A disk write begins; `source` null: a delete. */
  look(node: NodeName, offset: number, length: number, source: Uint8Array | null): void {
    this.origin = 'legitimate';
    if (offset < this.#view.dataOffset) return;
    const { worker, term } = ofNode(this.#ledger.facts, node);
    if (worker === null || (worker === 'primary' && term === null)) return;
    const first = (offset - this.#view.dataOffset) / BLOCK_BYTES;
    for (let at = 0; at < length; at += BLOCK_BYTES) {
      const block = first + at / BLOCK_BYTES;
      const word = source === null ? 0 : uint32At(source, at);
      const origin =
        worker === 'primary' ? this.#ofPrimary(node, block, word) : this.#ofSecondary(node, block, word);
      if (origin === 'legitimate') continue;
      // Zeros tell of one DELETE only, and it may be another one.
      if (source === null && (origin !== 'nobody' || this.#view.underWay(node, block))) continue;
      this.origin = origin;
      this.block = block;
      this.word = word;
      return;
    }
  }

  #ofPrimary(node: NodeName, block: number, word: number): Origin {
    const ledger = this.#ledger;
    const { connected, intact } = ofNode(ledger.facts, node);
    const id = ledger.writeOf(word, block, node);
    if (ledger.writes[id - 1]?.node === node && ledger.endedAt(id) === Infinity) return 'legitimate';
    if (!connected) return 'nobody';
    const isCopy = !intact || this.#view.visible(otherNode(node), block) === word;
    return isCopy ? 'legitimate' : 'overtaken';
  }

  #ofSecondary(node: NodeName, block: number, word: number): Origin {
    const ledger = this.#ledger;
    const other = otherNode(node);
    const { connected, session } = ofNode(ledger.facts, other);
    if (!ofNode(ledger.facts, node).attached) return 'nobody';
    // What it has received is executed, whatever has become of the primary.
    if (!connected || ledger.belongsTo(ledger.writeOf(word, block, other), other, session))
      return 'legitimate';
    const there = this.#view.visible(other, block);
    if (there === word) return 'legitimate';
    return ledger.belongsTo(ledger.writeOf(there, block, other), other, session)
      ? 'overtaken'
      : 'another-session';
  }
}
