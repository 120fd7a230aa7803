/**
 * The GEOM gate device of a primary's worker (core/spec/integration.md section 6): `/dev/hast/<provider>`. The threads of
 * the driver talk to the kernel (native/src/ggate/driver.h); here requests arrive in batches, each batch one turn,
 * and the answers of a turn leave together.
 *
 *   GgateRequest: free -> submitted (lent to the core) -> answered -> free
 *
 * A provider outlives its worker: after a crash the next worker takes it over, with the requests that were not answered.
 */
import type { Turns } from '../../core/base/turns.js';
import type {
  Device,
  DeviceCommand,
  DeviceGeometry,
  DeviceHandler,
  DeviceRequest,
  Devices,
} from '../../core/ports/device.js';
import type { Done, PortError } from '../../core/ports/error.js';
import type { Log } from '../../core/ports/log.js';
import { assert } from '../../core/base/assert.js';
import { portError } from '../../core/ports/error.js';
import { errnoOf } from '../../core/wire/errno.js';
import type { Addon, GgateDriver, GgateOpened } from '../addon.js';
import { ggateError } from './errors.js';

/** Requests in flight on one device; as many as the core works on. More of them wait in the kernel. */
const SLOTS = 256;
const FIELDS = 4;
/** Of FreeBSD's bio commands those that reach us; the driver answers all others. */
const COMMANDS: readonly (DeviceCommand | undefined)[] = [
  undefined,
  'read',
  'write',
  'delete',
  undefined,
  'flush',
];

const PHASE = { failed: 2, closed: 3 } as const;
const REPLACED = 2;
const NO_BYTES = new Uint8Array(0);

/** The provider's name in the kernel. */
export function ggateName(provider: string): string {
  return `hast/${provider}`;
}

/** Opens what only root may open: the way to the kernel, and a look at what an earlier worker has left. */
export function openGgate(addon: Addon, provider: string): GgateOpened | PortError {
  const opened = addon.ggateOpen(ggateName(provider));
  return typeof opened === 'number' ? ggateError(opened) : opened;
}

export interface GgatePorts {
  readonly turns: Turns;
  readonly log: Log;
  readonly addon: Addon;
}

/** The provider of one worker: at most one device at a time. */
export class GgateDevices implements Devices {
  readonly #ports: GgatePorts;
  readonly #opened: GgateOpened;
  #device: GgateDevice | null = null;

  constructor(ports: GgatePorts, opened: GgateOpened) {
    this.#ports = ports;
    this.#opened = opened;
  }

  /** A device that cannot be created is `gone` later. */
  create(geometry: DeviceGeometry, handler: DeviceHandler): Device {
    assert(this.#device === null || this.#device.isClosed, 'a worker has one device');
    this.#device = new GgateDevice(this.#ports, this.#opened, geometry, handler);
    return this.#device;
  }
}

/** A slot of the driver, as the core sees it. */
class GgateRequest implements DeviceRequest {
  readonly id: number;
  command: DeviceCommand = 'flush';
  offset = 0;
  length = 0;
  data: Uint8Array | null = null;
  isSubmitted = false;
  /** The slot's memory, and the driver's number for it. */
  buffer: ArrayBuffer | null = null;
  generation = 0;
  /** Of `buffer`, as long as the last request that had data. */
  view: Uint8Array = NO_BYTES;

  constructor(id: number) {
    this.id = id;
  }
}

class GgateDevice implements Device {
  readonly recovered: boolean;
  readonly #ports: GgatePorts;
  readonly #handler: DeviceHandler;
  readonly #name: string;
  readonly #driver: GgateDriver;
  readonly #state = new Int32Array(3);
  readonly #taken = new Int32Array(SLOTS);
  readonly #fields = new Float64Array(SLOTS * FIELDS);
  readonly #answers = new Int32Array(SLOTS * 2);
  readonly #requests = Array.from({ length: SLOTS }, (_, slot) => new GgateRequest(slot));
  /** Answers of this turn. */
  #answered = 0;
  #hasFailed = false;
  #originTold = false;
  #closed: Done | null = null;
  readonly #receive = (): void => {
    this.#takeAll();
  };
  readonly #handOver = (): void => {
    const count = this.#answered;
    this.#answered = 0;
    this.#driver.answer(count);
  };

  constructor(ports: GgatePorts, opened: GgateOpened, geometry: DeviceGeometry, handler: DeviceHandler) {
    this.#ports = ports;
    this.#handler = handler;
    this.#name = ggateName(geometry.provider);
    // The driver asks the kernel; only if somebody meddles it may find another.
    const { mediaSize, sectorSize } = opened.left;
    this.recovered = mediaSize === geometry.mediaSize && sectorSize === geometry.sectorSize;
    this.#driver = new ports.addon.GgateDriver({
      control: opened.control,
      name: this.#name,
      geometry,
      left: opened.left,
      info: `hastd[${process.pid.toString()}]`,
      state: this.#state,
      taken: this.#taken,
      fields: this.#fields,
      answers: this.#answers,
      wake: () => {
        ports.turns.run(this.#receive);
      },
    });
  }

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  /** Ignored once the device is closed: the kernel has answered then. */
  complete(requestId: number, error: PortError | null): void {
    if (this.isClosed) return;
    const request = this.#requests[requestId];
    assert(request?.isSubmitted === true, 'the core completes a request once');
    request.isSubmitted = false;
    if (this.#answered === 0) this.#ports.turns.atEnd(this.#handOver);
    this.#answers[this.#answered * 2] = requestId;
    this.#answers[this.#answered * 2 + 1] = error === null ? 0 : errnoOf(error.code);
    this.#answered++;
  }

  close(done: Done): void {
    assert(!this.isClosed, 'a device is closed once');
    // What was completed in this turn was completed before.
    if (this.#answered > 0) this.#handOver();
    this.#closed = done;
    this.#driver.close();
  }

  #takeAll(): void {
    for (let count = this.#driver.take(); count > 0; count = this.#driver.take()) {
      for (let i = 0; i < count && !this.isClosed; i++) this.#submit(this.#taken[i] ?? 0);
    }
    this.#follow();
  }

  #submit(slot: number): void {
    const request = this.#requests[slot];
    assert(request !== undefined && !request.isSubmitted, 'the driver gives a free slot');
    const field = slot * FIELDS;
    const command = COMMANDS[this.#fields[field] ?? 0];
    assert(command !== undefined, 'the driver answers unknown commands');
    request.command = command;
    request.offset = this.#fields[field + 1] ?? 0;
    request.length = this.#fields[field + 2] ?? 0;
    request.data = command === 'read' || command === 'write' ? this.#dataOf(request) : null;
    request.isSubmitted = true;
    this.#handler.submitted(request);
  }

  #dataOf(request: GgateRequest): Uint8Array {
    const generation = this.#fields[request.id * FIELDS + 3] ?? 0;
    if (request.buffer === null || request.generation !== generation) {
      request.buffer = this.#driver.buffer(request.id);
      request.generation = generation;
      request.view = NO_BYTES;
    }
    if (request.view.length !== request.length) {
      request.view = new Uint8Array(request.buffer, 0, request.length);
    }
    return request.view;
  }

  /** What has become of the provider. */
  #follow(): void {
    const [phase = 0, errno = 0, origin = 0] = this.#state;
    if (phase > 0 && !this.#originTold) this.#tellOrigin(origin, phase === PHASE.failed);
    if (phase === PHASE.failed && !this.#hasFailed && !this.isClosed) {
      this.#hasFailed = true;
      this.#handler.gone(this.#failure(errno));
    }
    if (phase === PHASE.closed) this.#ended(errno === 0 ? null : ggateError(errno));
  }

  #tellOrigin(origin: number, hasFailed: boolean): void {
    this.#originTold = true;
    const { log } = this.#ports;
    if (hasFailed || origin !== REPLACED) return;
    const text = `Device ${this.#name} of another size was left behind; it was replaced, its requests failed.`;
    log.write('warning', text);
  }

  #failure(errno: number): PortError {
    const { code, message } = ggateError(errno);
    return code === 'ENXIO' ? portError(code, 'it was removed by somebody else') : portError(code, message);
  }

  #ended(error: PortError | null): void {
    const done = this.#closed;
    assert(done !== null, 'the driver closes when it is told to');
    if (error !== null) {
      this.#ports.log.write('warning', `Unable to destroy ${this.#name} device: ${error.message}.`);
    }
    done(error);
  }
}
