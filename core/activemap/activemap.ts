import { assert } from '../base/assert.js';
import { extentCount } from '../metadata/geometry.js';
import { Bitmap, WatchedBitmap } from './bitmap.js';
import { Keepdirty } from './keepdirty.js';

/** First and last extent of a byte range. */
export interface ExtentRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Which extents may differ between the nodes (core/spec/metadata.md section 5), as pure bookkeeping: what the bits
 * should be. `MapStore` makes them durable.
 *
 * The image, that is the bitmap as it belongs on disk, holds an extent for any of these reasons:
 *
 *   in flight    a write has started and not finished on both nodes
 *   need sync    the nodes are known or suspected to differ; the synchroniser works these off
 *   keep dirty   one of the last extents written
 *   unflushed    written on both nodes, but not yet covered by a successful flush of both (W15): a power loss of
 *                either node may still take the data away, and only this bit would tell. What needs sync is not
 *                counted here: it begins to be unflushed when it has been copied
 *
 * So a bit never leaves the disk before the data it vouches for is durable on both nodes (I8), and a lost session
 * turns everything unflushed into need-sync (W15b).
 */
export class Activemap {
  readonly extentsize: number;
  readonly datasize: number;
  readonly image: WatchedBitmap;
  readonly #sync: Bitmap;
  readonly #inFlight = new Map<number, number>();
  readonly #keepdirty: Keepdirty;
  /** Extent -> flush generation in which its last write finished. */
  readonly #unflushed = new Map<number, number>();
  #generation = 1;

  /** `mapBytes` is the length of the image, a multiple of the sector size. */
  constructor(geometry: { datasize: number; extentsize: number; keepdirty: number; mapBytes: number }) {
    this.datasize = geometry.datasize;
    this.extentsize = geometry.extentsize;
    const extents = extentCount(geometry.datasize, geometry.extentsize);
    this.image = new WatchedBitmap(extents, geometry.mapBytes);
    this.#sync = new Bitmap(extents);
    this.#keepdirty = new Keepdirty(geometry.keepdirty);
  }

  /** Takes a bitmap read from disk or received from the peer: every set bit needs sync. True when it added any. */
  merge(bits: Uint8Array): boolean {
    this.image.add(bits);
    if (!this.#sync.add(bits)) return false;
    for (const extent of this.#unflushed.keys()) if (this.#sync.has(extent)) this.#unflushed.delete(extent);
    return true;
  }

  /** A write to these extents begins: it may be issued once their bits are durable (I10). */
  writeStarted(range: ExtentRange): void {
    for (let extent = range.first; extent <= range.last; extent++) {
      this.#inFlight.set(extent, (this.#inFlight.get(extent) ?? 0) + 1);
      const evicted = this.#keepdirty.touch(extent);
      this.image.set(extent);
      if (evicted !== -1) this.#settle(evicted);
    }
  }

  /** The write has finished on both nodes, or what it left undone is marked need-sync. */
  writeFinished(range: ExtentRange): void {
    for (let extent = range.first; extent <= range.last; extent++) {
      const count = this.#inFlight.get(extent) ?? 0;
      assert(count > 0, 'a write finished that never started');
      if (count > 1) this.#inFlight.set(extent, count - 1);
      else this.#inFlight.delete(extent);
      if (!this.#sync.has(extent)) this.#unflushed.set(extent, this.#generation);
    }
  }

  /** A write that was issued nowhere is taken back. */
  writeWithdrawn(range: ExtentRange): void {
    for (let extent = range.first; extent <= range.last; extent++) {
      const count = this.#inFlight.get(extent) ?? 0;
      if (count > 1) this.#inFlight.set(extent, count - 1);
      else this.#inFlight.delete(extent);
      this.#settle(extent);
    }
  }

  /** No write will follow: no extent is kept dirty for the next one. */
  keepNothing(): void {
    for (const extent of this.#keepdirty.clear()) this.#settle(extent);
  }

  /** The nodes may differ there. True when any extent was not marked yet. */
  needSync(range: ExtentRange): boolean {
    let added = false;
    for (let extent = range.first; extent <= range.last; extent++) {
      if (this.#mark(extent)) added = true;
    }
    return added;
  }

  needsSync(extent: number): boolean {
    return this.#sync.has(extent);
  }

  /** Any of these extents needs sync. */
  needsSyncIn(range: ExtentRange): boolean {
    const next = this.#sync.next(range.first);
    return next !== -1 && next <= range.last;
  }

  /** The lowest extent at or after `from` that needs sync, or -1. */
  nextToSync(from: number): number {
    return this.#sync.next(from);
  }

  /** The extent was copied; its bit stays until a flush of both nodes vouches for the copy (W15c). */
  synced(extent: number): void {
    this.#sync.clear(extent);
    this.#unflushed.set(extent, this.#generation);
  }

  /** A flush of both nodes begins: what has finished by now is covered by it. Returns the generation to settle. */
  flushStarted(): number {
    return this.#generation++;
  }

  /** The flush succeeded on both nodes. */
  flushed(generation: number): void {
    for (const [extent, written] of this.#unflushed) {
      if (written > generation) continue;
      this.#unflushed.delete(extent);
      this.#settle(extent);
    }
  }

  /**
   * The session ended: the peer may have lost whatever it had not flushed (W15b), writes included that it has executed
   * and that are still under way here.
   */
  peerLost(): void {
    for (const extent of this.#unflushed.keys()) this.#mark(extent);
    for (const extent of this.#inFlight.keys()) this.#mark(extent);
  }

  /** Bytes of dirty extents as `status` counts them: in flight or in need of sync. */
  get dirtyBytes(): number {
    let extents = this.#sync.count;
    for (const extent of this.#inFlight.keys()) if (!this.#sync.has(extent)) extents++;
    return extents * this.extentsize;
  }

  get syncCount(): number {
    return this.#sync.count;
  }

  /** Extents written since the last flush of both nodes. */
  get unflushedCount(): number {
    return this.#unflushed.size;
  }

  /** Extents whose bit is set only because a flush of both nodes is still owed. */
  get flushOwed(): number {
    let owed = 0;
    for (const extent of this.#unflushed.keys()) {
      if (!this.#keepdirty.has(extent) && !this.#inFlight.has(extent)) owed++;
    }
    return owed;
  }

  /** Extents a byte range touches. */
  rangeOf(offset: number, length: number): ExtentRange {
    return {
      first: Math.floor(offset / this.extentsize),
      last: Math.floor((offset + length - 1) / this.extentsize),
    };
  }

  /** Length of an extent in bytes; the last one may be shorter. */
  lengthOf(extent: number): number {
    return Math.min(this.extentsize, this.datasize - extent * this.extentsize);
  }

  #mark(extent: number): boolean {
    this.image.set(extent);
    if (!this.#sync.set(extent)) return false;
    this.#unflushed.delete(extent);
    return true;
  }

  /** Clears the bit in the image when no reason for it is left. */
  #settle(extent: number): void {
    const dirty =
      this.#inFlight.has(extent) ||
      this.#sync.has(extent) ||
      this.#keepdirty.has(extent) ||
      this.#unflushed.has(extent);
    if (!dirty) this.image.clear(extent);
  }
}
