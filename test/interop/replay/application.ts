/** The application on a node's device: gives requests and keeps what came of them. */
import { errnoOf } from '../../../core/wire/errno.js';
import type { DeviceCommand } from '../../../core/ports/device.js';
import type { PortError } from '../../../core/ports/error.js';
import type { DeviceUser, SimDevice } from '../../../sim/devices.js';

export interface Submitted {
  readonly data: Uint8Array | null;
  /** errno, 0: success; null: not answered yet, or never. */
  result: number | null;
  /** Answered, or the device is gone. */
  settled: boolean;
}

export interface IoRange {
  readonly offset: number;
  readonly length: number;
}

export class Application implements DeviceUser {
  #device: SimDevice | null = null;
  #nextId = 1;
  readonly #outstanding = new Map<number, { submitted: Submitted; settled: () => void }>();

  get hasDevice(): boolean {
    return this.#device !== null;
  }

  /** `data` is what to write; a READ gets a buffer of its own. `settled` is called when the outcome is known. */
  submit(command: DeviceCommand, range: IoRange, data: Uint8Array | null, settled: () => void): Submitted {
    const buffer = command === 'read' ? new Uint8Array(range.length) : data;
    const submitted: Submitted = { data: buffer, result: null, settled: false };
    const id = this.#nextId++;
    this.#outstanding.set(id, { submitted, settled });
    if (this.#device === null) this.#settle(id, null);
    else this.#device.submit({ id, command, ...range, data: buffer });
    return submitted;
  }

  deviceAppeared(device: SimDevice): void {
    this.#device = device;
  }

  deviceVanished(device: SimDevice): void {
    if (this.#device !== device) return;
    this.#device = null;
    for (const id of [...this.#outstanding.keys()]) this.#settle(id, null);
  }

  answered(requestId: number, error: PortError | null): void {
    this.#settle(requestId, error === null ? 0 : errnoOf(error.code));
  }

  #settle(id: number, result: number | null): void {
    const entry = this.#outstanding.get(id);
    if (entry === undefined) return;
    this.#outstanding.delete(id);
    entry.submitted.result = result;
    entry.submitted.settled = true;
    entry.settled();
  }
}
