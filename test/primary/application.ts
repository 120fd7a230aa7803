/** The application of a simulated world: reads, writes, deletes and flushes the device of whichever node offers it. */
import { viewOf } from '../../core/base/bytes.js';
import type { DeviceRequest } from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import type { DeviceUser, SimDevice } from '../../sim/devices.js';
import { History, SECTOR_BYTES, type IssuedWrite } from '../../properties/request/history.js';
import type { Random } from '../../sim/random.js';

interface Outstanding {
  readonly request: DeviceRequest;
  readonly write: IssuedWrite | null;
  readonly issuedAt: number;
}

/** Request ids and values that one application uses at most; a fork begins behind them. */
const NUMBERS = 1_000_000;

export class Application implements DeviceUser {
  readonly history: History;
  /** What it saw that cannot be; shared with its forks. */
  readonly violations: string[];
  acknowledged = 0;
  failed = 0;
  reads = 0;
  /** Time (of the history) at which the last acknowledged write was issued; -1 before the first. */
  lastAcknowledgedIssue = -1;
  /** Time at which the last write was issued. */
  lastIssue = -1;
  device: SimDevice | null = null;
  readonly #sectors: number;
  readonly #random: Random;
  readonly #outstanding = new Map<number, Outstanding>();
  #nextId: number;
  #nextValue: number;

  constructor(datasize: number, random: Random, before: Application | null = null) {
    this.#sectors = datasize / SECTOR_BYTES;
    this.#random = random;
    this.history = before?.history.fork() ?? new History(this.#sectors);
    this.violations = before?.violations ?? [];
    this.#nextId = before === null ? 1 : before.#nextId + NUMBERS;
    this.#nextValue = before === null ? 1 : before.#nextValue + NUMBERS;
  }

  /** Another application with the same past, on another node: what the two do from now on has nothing in common. */
  fork(): Application {
    return new Application(this.#sectors * SECTOR_BYTES, this.#random, this);
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  deviceAppeared(device: SimDevice): void {
    if (this.device !== null) this.violations.push('I20: two devices at the same time');
    this.device = device;
  }

  deviceVanished(device: SimDevice): void {
    if (this.device !== device) return;
    this.device = null;
    for (const { write } of this.#outstanding.values()) if (write !== null) this.history.end(write, false);
    this.#outstanding.clear();
  }

  answered(requestId: number, error: PortError | null): void {
    const outstanding = this.#outstanding.get(requestId);
    // The device may have vanished while the answer was on its way.
    if (outstanding === undefined) return;
    this.#outstanding.delete(requestId);
    const { request, write, issuedAt } = outstanding;
    if (error === null) this.acknowledged++;
    else this.failed++;
    if (write !== null) {
      this.history.end(write, error === null);
      if (error === null) this.lastAcknowledgedIssue = Math.max(this.lastAcknowledgedIssue, issuedAt);
    }
    if (request.command === 'flush' && error === null) this.history.flushed(issuedAt);
    if (request.command === 'read' && error === null && request.data !== null) {
      this.#check(request.offset / SECTOR_BYTES, request.data, issuedAt);
    }
  }

  /** Something at random. */
  act(): void {
    const sectors = 1 + this.#random.below(this.#random.chance(1, 8) ? 64 : 8);
    const hot = this.#random.chance(1, 2) ? Math.min(32, this.#sectors) : this.#sectors;
    const first = this.#random.below(Math.max(1, hot - sectors));
    const dice = this.#random.below(20);
    if (dice < 11) this.write(first, sectors);
    else if (dice < 17) this.read(first, sectors);
    else if (dice < 18) this.delete(first, sectors);
    else this.flush();
  }

  write(firstSector: number, sectors: number): void {
    const value = this.#nextValue++;
    const data = new Uint8Array(sectors * SECTOR_BYTES);
    const view = viewOf(data);
    for (let at = 0; at < data.length; at += 4) view.setUint32(at, value, true);
    this.#submit('write', firstSector, sectors, data, { firstSector, sectors, value });
  }

  delete(firstSector: number, sectors: number): void {
    this.#submit('delete', firstSector, sectors, null, { firstSector, sectors, value: 0 });
  }

  read(firstSector: number, sectors: number): void {
    this.#submit('read', firstSector, sectors, new Uint8Array(sectors * SECTOR_BYTES), null);
  }

  flush(): void {
    this.#submit('flush', 0, 0, null, null);
  }

  /**
   * The copy on `whose` is the truth from now on (`History.settle`); the number of sectors that lack an acknowledged
   * write issued at or after `mayLack`.
   */
  settle(image: Uint8Array, whose: string, mayLack = Infinity): number {
    const { lost, violation } = this.history.settle(image, mayLack);
    if (violation !== null) this.violations.push(`lost: on ${whose} ${violation}`);
    return lost;
  }

  /** Compares a whole copy with what may be there. */
  checkImage(data: Uint8Array, whose: string): void {
    const before = this.violations.length;
    this.#check(0, data, this.history.now);
    for (let i = before; i < this.violations.length; i++) {
      this.violations[i] = `copy of ${whose}: ${this.violations[i] ?? ''}`;
    }
  }

  #submit(
    command: DeviceRequest['command'],
    firstSector: number,
    sectors: number,
    data: Uint8Array | null,
    write: IssuedWrite | null,
  ): void {
    if (this.device === null) return;
    const id = this.#nextId++;
    const request = {
      ...{ id, command, data },
      offset: firstSector * SECTOR_BYTES,
      length: sectors * SECTOR_BYTES,
    };
    this.#outstanding.set(id, { request, write, issuedAt: this.history.now });
    if (write !== null) {
      this.lastIssue = this.history.now;
      this.history.issue(write);
    }
    this.device.submit(request);
  }

  #check(firstSector: number, data: Uint8Array, since: number): void {
    const view = viewOf(data);
    for (let at = 0; at < data.length; at += SECTOR_BYTES) {
      const sector = firstSector + at / SECTOR_BYTES;
      const found = view.getUint32(at, true);
      const acceptable = this.history.acceptable(sector, since);
      if (!acceptable.includes(found)) {
        const wanted = acceptable.join(' or ');
        this.violations.push(`I1: sector ${String(sector)} holds ${String(found)} instead of ${wanted}`);
        return;
      }
      if (view.getUint32(at + SECTOR_BYTES - 4, true) !== found) {
        this.violations.push(`I23: sector ${String(sector)} is made of pieces`);
        return;
      }
    }
    this.reads++;
  }
}
