import type { ExtentRange } from '../activemap/activemap.js';
import type { ByteRange } from '../base/range-set.js';
import type { Parts } from './parts.js';

/** Ranges waiting to be written back; more are found again when they are read again. */
const MAX_REPAIRS = 64;

/** An extent being copied. */
export interface ActiveExtent {
  readonly extent: number;
  readonly end: number;
  readonly pull: boolean;
  next: number;
  inFlight: number;
  failed: boolean;
  /** It became dirty again while being copied. */
  again: boolean;
  /** Bytes that are bad here were left out: the peer has them. */
  skipped: boolean;
}

/** The next bytes to copy, of the extent being copied that is told with them; of no length when none are left in it. */
export interface Piece {
  readonly active: ActiveExtent;
  readonly range: ByteRange;
}

/**
 * What there is to copy in a session, extent by extent, lowest first (core/spec/replication.md section 10). An extent with a failed
 * chunk keeps its bit and is tried again later (W10).
 *
 * What is bad here (W18) is not the peer's fault: its copy is complete without it, and must be usable if this node dies. So such
 * bytes are left out, and fetched back again and again; an extent with some of them keeps its bit until they are here.
 */
export class CopyPlan {
  readonly #parts: Parts;
  #active: ActiveExtent[] = [];
  readonly #failed = new Set<number>();
  /** Extents with a bit of which the peer has everything, and only this node lacks something. */
  readonly #badHere = new Set<number>();
  #repairs: ByteRange[] = [];
  #cursor = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A session begins: the bits tell what there is to do. */
  begin(): void {
    this.#cursor = 0;
    this.#failed.clear();
    this.#badHere.clear();
    this.queueRepairs();
  }

  /** The session is gone, and with it what was being copied. */
  forget(): void {
    this.#active = [];
    this.#repairs = [];
  }

  /** Extents are being copied. */
  get isUnderWay(): boolean {
    return this.#active.length > 0;
  }

  /** Some could not be copied. */
  get hasFailed(): boolean {
    return this.#failed.size > 0;
  }

  /** The peer has everything of some extents that this node lacks something of. */
  get hasBadHere(): boolean {
    return this.#badHere.size > 0;
  }

  /** The peer lacks something, or this node lacks something that it needs to copy. */
  get moreToDo(): boolean {
    return this.#parts.map.syncCount > this.#badHere.size;
  }

  /** The peer lacks something of these extents. */
  marked(range: ExtentRange): void {
    for (let extent = range.first; extent <= range.last; extent++) this.#badHere.delete(extent);
    this.copyAgain(range);
  }

  /** Only this node lacks something of them. */
  markedBad(range: ExtentRange): void {
    for (let extent = range.first; extent <= range.last; extent++) this.#badHere.add(extent);
    this.queueRepairs();
  }

  copyAgain(range: ExtentRange): void {
    for (const active of this.#active) {
      if (active.extent >= range.first && active.extent <= range.last) active.again = true;
    }
    this.#cursor = Math.min(this.#cursor, range.first);
    this.queueRepairs();
  }

  /** False: there are too many already. */
  addRepair(range: ByteRange): boolean {
    if (this.#repairs.length >= MAX_REPAIRS) return false;
    this.#repairs.push(range);
    return true;
  }

  takeRepair(): ByteRange | null {
    return this.#repairs.shift() ?? null;
  }

  queueRepairs(): void {
    const { truth, maxRequestBytes } = this.#parts;
    for (const { offset, length } of truth.localBad) {
      for (let at = 0; at < length; at += maxRequestBytes) {
        this.#repairs.push({ offset: offset + at, length: Math.min(maxRequestBytes, length - at) });
      }
    }
  }

  /** Everything there is to do, what failed and what was bad here included, from the start. */
  startOver(): void {
    this.#cursor = 0;
  }

  /** What failed is tried again, and what is bad here fetched again. */
  retry(): void {
    this.#failed.clear();
    this.#cursor = 0;
    this.queueRepairs();
  }

  /** Extents that are not bad here any more, because they were fetched back or overwritten, are copied as any other. True: some. */
  reconsider(): boolean {
    const { map, truth } = this.#parts;
    let some = false;
    for (const extent of this.#badHere) {
      const range = { offset: extent * map.extentsize, length: map.lengthOf(extent) };
      if (truth.isBad(range)) continue;
      this.#badHere.delete(extent);
      this.#cursor = Math.min(this.#cursor, extent);
      some = true;
    }
    return some;
  }

  /** What to copy next; null: nothing for the moment. */
  nextPiece(): Piece | null {
    const active = this.#active.find((one) => one.next < one.end && !one.failed) ?? this.#nextExtent();
    if (active === null) return null;
    const length = Math.min(this.#parts.maxRequestBytes, active.end - active.next);
    const range = this.#source(active, { offset: active.next, length });
    active.next = range.offset + range.length;
    return { active, range };
  }

  /** Nothing of it is in flight, and nothing more will be. */
  isDone(active: ActiveExtent): boolean {
    return active.inFlight === 0 && (active.next === active.end || active.failed);
  }

  /** All of an extent, as far as it could be. True: both nodes have all of it. */
  finished(active: ActiveExtent): boolean {
    this.#active = this.#active.filter((other) => other !== active);
    if (active.failed) {
      this.#failed.add(active.extent);
    } else if (active.again) {
      this.#cursor = Math.min(this.#cursor, active.extent);
    } else if (active.skipped) {
      this.#badHere.add(active.extent);
    } else {
      return true;
    }
    return false;
  }

  /** The first bytes of the range that can be copied to the peer; those that are bad here are left out. */
  #source(active: ActiveExtent, range: ByteRange): ByteRange {
    const { truth } = this.#parts;
    if (active.pull || truth.of(range) === 'here') return range;
    const good = truth.split(range).find((piece) => truth.of(piece) === 'here');
    active.skipped = true;
    return good ?? { offset: range.offset + range.length, length: 0 };
  }

  #nextExtent(): ActiveExtent | null {
    const { map, truth } = this.#parts;
    for (;;) {
      const extent = map.nextToSync(this.#cursor);
      if (extent === -1) return null;
      this.#cursor = extent + 1;
      if (this.#failed.has(extent) || this.#badHere.has(extent)) continue;
      if (this.#active.some((one) => one.extent === extent)) continue;
      const start = extent * map.extentsize;
      const end = start + map.lengthOf(extent);
      const pull = truth.outOfDate;
      const active = {
        extent,
        end,
        pull,
        next: start,
        inFlight: 0,
        failed: false,
        again: false,
        skipped: false,
      };
      this.#active.push(active);
      return active;
    }
  }
}
