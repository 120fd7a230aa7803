/**
 * What the application of a simulated world did to each sector, and so what may be found there. A write that was never
 * answered, or answered with an error, may have happened or not; an acknowledged one has, until another one overwrites it.
 */
import { viewOf } from '../../core/base/bytes.js';

export const SECTOR_BYTES = 512;

interface SectorWrite {
  readonly value: number;
  readonly issuedAt: number;
  /** When it was answered or given up; Infinity while it is under way. */
  endedAt: number;
  acknowledged: boolean;
  /** An acknowledged FLUSH came after it. */
  durable: boolean;
}

export interface IssuedWrite {
  readonly firstSector: number;
  readonly sectors: number;
  readonly value: number;
}

/** What became of the sectors when a copy took over; see `settle`. */
export interface Settlement {
  /** Sectors whose newest acknowledged write is not there, although it was allowed to be lost. */
  readonly lost: number;
  /** A sector that holds something else, in words; null when all is well. */
  readonly violation: string | null;
}

/** Time here is the order of events, not the clock. */
export class History {
  readonly #sectors: SectorWrite[][];
  #time: number;

  constructor(sectors: number) {
    const initial = { value: 0, issuedAt: -1, endedAt: 0, acknowledged: true, durable: true };
    this.#sectors = Array.from({ length: sectors }, () => [{ ...initial }]);
    this.#time = 1;
  }

  /** The same past with another future: writes under way have not been answered there, and never will be. */
  fork(): History {
    const twin = new History(0);
    twin.#time = this.#time + 1;
    for (const writes of this.#sectors) {
      twin.#sectors.push(writes.map((write) => ({ ...write, endedAt: Math.min(write.endedAt, this.#time) })));
    }
    return twin;
  }

  issue(write: IssuedWrite): void {
    const issuedAt = this.#time++;
    for (const writes of this.#of(write)) {
      writes.push({ value: write.value, issuedAt, endedAt: Infinity, acknowledged: false, durable: false });
    }
  }

  /** The answer has arrived. */
  end(write: IssuedWrite, acknowledged: boolean): void {
    const endedAt = this.#time++;
    for (const writes of this.#of(write)) {
      const one = writes.find(
        (candidate) => candidate.value === write.value && candidate.endedAt === Infinity,
      );
      if (one === undefined) continue;
      one.endedAt = endedAt;
      one.acknowledged = acknowledged;
    }
  }

  /** The values that the sector may hold now; `since`: as of the moment a read was issued. */
  acceptable(sector: number, since = this.#time): number[] {
    return candidates(this.#sectors[sector] ?? [], since).map(({ value }) => value);
  }

  /** A FLUSH issued at `issuedAt` was acknowledged: what had been acknowledged by then survives any power failure. */
  flushed(issuedAt: number): void {
    for (const writes of this.#sectors) {
      for (const write of writes) if (write.acknowledged && write.endedAt < issuedAt) write.durable = true;
    }
  }

  /** The only node that must have everything lost its power: what was not flushed may be gone. */
  powerLost(): void {
    for (const writes of this.#sectors) for (const write of writes) write.acknowledged &&= write.durable;
  }

  /**
   * A copy becomes the truth: from now on every sector has what it has there. Acknowledged writes issued at or after
   * `mayLack` may be missing (async: they were not replicated). Values stay as durable as they were.
   */
  settle(image: Uint8Array, mayLack: number): Settlement {
    const view = viewOf(image);
    let lost = 0;
    for (const [sector, writes] of this.#sectors.entries()) {
      const found = view.getUint32(sector * SECTOR_BYTES, true);
      const allowed = candidates(writes, this.#time);
      if (!allowed.some(({ value }) => value === found)) {
        lost++;
        const older = writes.map((write) =>
          write.issuedAt >= mayLack ? { ...write, acknowledged: false } : write,
        );
        if (!candidates(older, this.#time).some(({ value }) => value === found)) {
          const wanted = allowed.map(({ value }) => value).join(' or ');
          return { lost, violation: `sector ${String(sector)} holds ${String(found)} instead of ${wanted}` };
        }
      }
      this.#observe(writes, found);
    }
    this.#time += 2;
    return { lost, violation: null };
  }

  get now(): number {
    return this.#time;
  }

  /** The sector has this value now, as if it had just been written and acknowledged. */
  #observe(writes: SectorWrite[], value: number): void {
    const write = writes.findLast((one) => one.value === value);
    const now = this.#time;
    const durable = write?.durable ?? false;
    writes.push({ value, issuedAt: now, endedAt: now + 1, acknowledged: true, durable });
  }

  #of({ firstSector, sectors }: IssuedWrite): SectorWrite[][] {
    return this.#sectors.slice(firstSector, firstSector + sectors);
  }
}

/** The writes whose value may be there: those that no write acknowledged before `since` has overwritten. */
function candidates(writes: readonly SectorWrite[], since: number): SectorWrite[] {
  const overtaken = (write: SectorWrite): boolean =>
    writes.some((other) => other.acknowledged && other.endedAt < since && other.issuedAt >= write.endedAt);
  return writes.filter((write) => !overtaken(write));
}
