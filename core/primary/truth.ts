import type { Activemap } from '../activemap/activemap.js';
import { RangeSet, type ByteRange } from '../base/range-set.js';
import { MAX_LOCAL_BAD } from '../metadata/codec.js';
import type { MetadataStore } from '../metadata/store.js';
import { portError, type Done } from '../ports/error.js';

const TOO_MANY = portError('EIO', 'the local component is bad in too many places');

/**
 * On which node the newest data is. Usually here. On the peer:
 *
 *   out of date   the last handshake said that the peer wrote alone: every extent that needs sync is newer there, and
 *                 nothing is acknowledged that the peer does not have, until the synchronisation completes (W9, I19)
 *   local bad     a local write failed where the peer's succeeded: exactly these bytes are read from there, and copied
 *                 back as soon as possible (W18)
 *
 * Both are durable (metadata `incomplete` and `localbad`) before anything depends on them.
 */
export class Truth {
  readonly #map: Activemap;
  readonly #metadata: MetadataStore;
  readonly #localBad: RangeSet;
  outOfDate: boolean;

  constructor(map: Activemap, metadata: MetadataStore) {
    this.#map = map;
    this.#metadata = metadata;
    this.#localBad = new RangeSet(metadata.current.localBad);
    this.outOfDate = metadata.current.incomplete;
    for (const { offset, length } of this.#localBad.ranges) map.needSync(map.rangeOf(offset, length));
  }

  /** Where the newest data of the range is; `both`: some bytes here, some on the peer, see `split`. */
  of(range: ByteRange): 'here' | 'peer' | 'both' {
    if (this.outOfDate && this.#map.needsSyncIn(this.#map.rangeOf(range.offset, range.length))) return 'peer';
    if (!this.#localBad.overlaps(range)) return 'here';
    return this.outOfDate || this.#localBad.split(range).length === 1 ? 'peer' : 'both';
  }

  /** Cuts the range into pieces whose newest data is in one place. */
  split(range: ByteRange): readonly ByteRange[] {
    return this.#localBad.split(range);
  }

  /** Bytes to be copied back from the peer. */
  get localBad(): readonly ByteRange[] {
    return this.#localBad.ranges;
  }

  /** Some of these bytes are bad here. */
  isBad(range: ByteRange): boolean {
    return this.#localBad.overlaps(range);
  }

  /** A local write failed, the peer's succeeded. An error means that this could not be remembered. */
  localFailed(range: ByteRange, done: Done): void {
    const grown = new RangeSet([...this.#localBad.ranges, range]);
    this.#map.needSync(this.#map.rangeOf(range.offset, range.length));
    if (grown.ranges.length > MAX_LOCAL_BAD) {
      done(TOO_MANY);
      return;
    }
    // Bad it stays, stored or not: the peer has these bytes, and some of them may have been bad before.
    this.#localBad.add(range);
    this.store(done);
  }

  /** Something is, or was until the last metadata update, marked bad in the range. */
  isMarked(range: ByteRange): boolean {
    const stored = this.#metadata.current.localBad;
    return this.#localBad.overlaps(range) || (stored.length > 0 && new RangeSet(stored).overlaps(range));
  }

  /** The range was written here: it is not bad any more, and a restart must not copy the peer's over it. */
  localWritten(range: ByteRange, done: Done): void {
    const mended = this.#localBad.split(range).filter((piece) => this.#localBad.overlaps(piece));
    this.#localBad.remove(range);
    if (this.#localBad.ranges.length <= MAX_LOCAL_BAD) {
      this.store(done);
      return;
    }
    for (const piece of mended) this.#localBad.add(piece);
    done(TOO_MANY);
  }

  /** Whether the metadata says the same: a change of it may have failed. */
  get isStored(): boolean {
    const stored = this.#metadata.current.localBad;
    const { ranges } = this.#localBad;
    const isSame = ({ offset, length }: ByteRange, index: number): boolean =>
      stored[index]?.offset === offset && stored[index].length === length;
    return stored.length === ranges.length && ranges.every(isSame);
  }

  /** Bytes that are no longer marked, whoever made them good meanwhile, are on the medium before that is. */
  store(done: Done): void {
    this.#metadata.updateAfterData(() => ({ localBad: this.#localBad.ranges }), done);
  }
}
