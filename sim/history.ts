/**
 * What the application of a simulated world did to each sector, and so what may be found there. A write that was never
 * answered, or answered with an error, may have happened or not; an acknowledged one has, until another one overwrites it.
 */

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

/** Time here is the order of events, not the clock. */
export class History {
  readonly #sectors: SectorWrite[][];
  #time = 1;

  constructor(sectors: number) {
    const initial = { value: 0, issuedAt: -1, endedAt: 0, acknowledged: true, durable: true };
    this.#sectors = Array.from({ length: sectors }, () => [{ ...initial }]);
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
    const writes = this.#sectors[sector] ?? [];
    const overtaken = (write: SectorWrite): boolean =>
      writes.some((other) => other.acknowledged && other.endedAt < since && other.issuedAt >= write.endedAt);
    return writes.filter((write) => !overtaken(write)).map(({ value }) => value);
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

  get now(): number {
    return this.#time;
  }

  #of({ firstSector, sectors }: IssuedWrite): SectorWrite[][] {
    return this.#sectors.slice(firstSector, firstSector + sectors);
  }
}
