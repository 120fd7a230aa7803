import type { Activemap, ExtentRange } from '../activemap/activemap.js';
import { MAX_LOCAL_BAD } from '../metadata/codec.js';
import type { MetadataStore } from '../metadata/store.js';
import { portError, type Done } from '../ports/error.js';

/**
 * On which node the newest data of an extent is. Usually here. On the peer:
 *
 *   out of date   the last handshake said that the peer wrote alone: every extent that needs sync is newer there, and
 *                 nothing is acknowledged that the peer does not have, until the synchronisation completes (W9, I19)
 *   local bad     a local write failed and the peer has the data: the extent is read from there and copied back (W18)
 *
 * Both are durable (metadata `incomplete` and `localbad`) before anything depends on them.
 */
export class Truth {
  readonly #map: Activemap;
  readonly #metadata: MetadataStore;
  readonly #localBad: Set<number>;
  outOfDate: boolean;

  constructor(map: Activemap, metadata: MetadataStore) {
    this.#map = map;
    this.#metadata = metadata;
    this.#localBad = new Set(metadata.current.localBad);
    this.outOfDate = metadata.current.incomplete;
    for (const extent of this.#localBad) map.needSync({ first: extent, last: extent });
  }

  /** The local copy of the range is not the newest. */
  readNeedsPeer(range: ExtentRange): boolean {
    for (let extent = range.first; extent <= range.last; extent++) {
      if (this.#localBad.has(extent) || (this.outOfDate && this.#map.needsSync(extent))) return true;
    }
    return false;
  }

  /** A write to the range counts only when the peer has it. */
  writeNeedsPeer(range: ExtentRange): boolean {
    if (this.outOfDate) return true;
    if (this.#localBad.size === 0) return false;
    for (let extent = range.first; extent <= range.last; extent++) if (this.#localBad.has(extent)) return true;
    return false;
  }

  /** The extent is to be copied from the peer to this node. */
  isOnPeer(extent: number): boolean {
    return this.outOfDate || this.#localBad.has(extent);
  }

  /** Extents marked bad, for the metadata. */
  localBad(): readonly number[] {
    return [...this.#localBad].sort((a, b) => a - b);
  }

  /** A local write failed, the peer's succeeded. An error means that this could not be remembered. */
  markLocalBad(range: ExtentRange, done: Done): void {
    const added: number[] = [];
    for (let extent = range.first; extent <= range.last; extent++) {
      if (!this.#localBad.has(extent)) added.push(extent);
      this.#localBad.add(extent);
    }
    this.#map.needSync(range);
    const forget = (): void => {
      for (const extent of added) this.#localBad.delete(extent);
    };
    if (this.#localBad.size > MAX_LOCAL_BAD) {
      forget();
      done(portError('EIO', 'too many extents of the local component are bad'));
      return;
    }
    this.#metadata.update(
      () => ({ localBad: this.localBad() }),
      (error) => {
        if (error !== null) forget();
        done(error);
      },
    );
  }

  /** The extent was copied back from the peer. */
  healed(extent: number): void {
    this.#localBad.delete(extent);
  }
}
