/**
 * The activemap as a person would explain it: every reason why an extent's bit must be on disk is a list of its own, and
 * the image is whatever any of them names (core/spec/metadata.md section 5). Slow and obvious.
 */
export class NaiveMap {
  readonly extents: number;
  readonly #keepdirtyLimit: number;
  /** One entry per write in progress. */
  #inFlight: number[][] = [];
  readonly needSync = new Set<number>();
  /** Most recent last. */
  keepdirty: number[] = [];
  /** What each extent's last write still waits for: flushes that began after it. Whether it needs sync is all the same here. */
  readonly #awaiting = new Map<number, number>();
  #flushes = 0;

  constructor(extents: number, keepdirty: number) {
    this.extents = extents;
    this.#keepdirtyLimit = Math.max(1, keepdirty);
  }

  /** Extents that only wait for a flush before both nodes have their data for good. */
  get unflushed(): ReadonlySet<number> {
    return new Set([...this.#awaiting.keys()].filter((extent) => !this.needSync.has(extent)));
  }

  get writing(): readonly number[][] {
    return this.#inFlight;
  }

  writeStarted(extents: number[]): void {
    this.#inFlight.push(extents);
    for (const extent of extents) {
      this.keepdirty = [...this.keepdirty.filter((other) => other !== extent), extent];
      this.keepdirty = this.keepdirty.slice(-this.#keepdirtyLimit);
    }
  }

  writeFinished(extents: number[]): void {
    this.#inFlight = this.#inFlight.filter((write) => write !== extents);
    for (const extent of extents) this.#awaiting.set(extent, this.#flushes);
  }

  writeWithdrawn(extents: number[]): void {
    this.#inFlight = this.#inFlight.filter((write) => write !== extents);
  }

  synced(extent: number): void {
    this.needSync.delete(extent);
    this.#awaiting.set(extent, this.#flushes);
  }

  /** The number of the flush that begins. */
  flushStarted(): number {
    return ++this.#flushes;
  }

  flushed(flush: number): void {
    for (const [extent, flushesBefore] of this.#awaiting) {
      if (flushesBefore < flush) this.#awaiting.delete(extent);
    }
  }

  peerLost(): void {
    for (const extent of [...this.#awaiting.keys(), ...this.#inFlight.flat()]) this.needSync.add(extent);
  }

  isInFlight(extent: number): boolean {
    return this.#inFlight.some((write) => write.includes(extent));
  }

  isDirty(extent: number): boolean {
    return (
      this.isInFlight(extent) ||
      this.needSync.has(extent) ||
      this.keepdirty.includes(extent) ||
      this.#awaiting.has(extent)
    );
  }

  count(test: (extent: number) => boolean): number {
    let count = 0;
    for (let extent = 0; extent < this.extents; extent++) if (test(extent)) count++;
    return count;
  }
}
