/** One process, one medium, and single operations carried out to their end. */
import type { Disk } from '../../core/ports/disk.js';
import type { Done, PortError } from '../../core/ports/error.js';
import { SimMedium, type MediumOptions } from '../../sim/medium.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

export const SECTORS = 64;
export const SECTOR = 512;

export class DiskWorld {
  readonly scheduler = new Scheduler();
  readonly medium: SimMedium;
  owner = new SimProcess('worker');
  disk: Disk;

  constructor(seed = 1, options: Partial<MediumOptions> = {}) {
    this.medium = new SimMedium(new Random(seed, 'disk'), { mediaSize: SECTORS * SECTOR, ...options });
    this.disk = this.medium.open(this.scheduler, this.owner);
  }

  write(sector: number, sectors: number, value: number): PortError | null {
    return this.outcome((done) => {
      this.disk.write(sector * SECTOR, filled(sectors, value), done);
    });
  }

  /** The value of each sector, or the error. */
  read(sector: number, sectors: number): number[] | PortError {
    const target = filled(sectors, 0xee);
    const error = this.outcome((done) => {
      this.disk.read(sector * SECTOR, target, done);
    });
    return error ?? Array.from({ length: sectors }, (_, i) => target[i * SECTOR] ?? -1);
  }

  delete(sector: number, sectors: number): PortError | null {
    return this.outcome((done) => {
      this.disk.delete(sector * SECTOR, sectors * SECTOR, done);
    });
  }

  flush(): PortError | null {
    return this.outcome((done) => {
      this.disk.flush(done);
    });
  }

  /** The machine loses its power, and another process opens the medium. */
  losePower(): void {
    this.owner.losePower();
    this.medium.losePower();
    this.reopen();
  }

  reopen(): void {
    this.owner = new SimProcess('next');
    this.disk = this.medium.open(this.scheduler, this.owner);
  }

  /** Starts something in a turn and lets everything happen. */
  outcome(start: (done: Done) => void): PortError | null {
    let result: PortError | null | undefined;
    this.owner.run(() => {
      start((error) => {
        result = error;
      });
    });
    this.scheduler.runUntilIdle();
    if (result === undefined) throw new Error('not completed');
    return result;
  }
}

export function filled(sectors: number, value: number): Uint8Array {
  return new Uint8Array(sectors * SECTOR).fill(value);
}

/** The first byte of every sector. */
export function sectorsOf(image: Uint8Array): number[] {
  return Array.from({ length: image.length / SECTOR }, (_, i) => image[i * SECTOR] ?? -1);
}
