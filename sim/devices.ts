/**
 * The Devices port of a simulated worker: the application of the world stands behind it, without a protocol between.
 *
 * What a crash of the worker does to the device depends on the system. An NBD export dies with it. With GEOM gate the
 * device is the kernel's: it stays, its requests wait, and those the dead worker had not answered are executed again, in
 * their order, by the next one (core/spec/replication.md section 1, device takeover).
 */
import type { Device, DeviceGeometry, DeviceHandler, DeviceRequest, Devices } from '../core/ports/device.js';
import type { Done, PortError } from '../core/ports/error.js';
import type { EventHandler } from './event-heap.js';
import type { Death, SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** Passing a request to the worker takes so long. */
const HOP_MS = 0.02;

/** Who uses the device of a node. */
export interface DeviceUser {
  /** A device is there. */
  deviceAppeared(device: SimDevice): void;
  /** It is gone; requests without an answer will never get one. */
  deviceVanished(device: SimDevice): void;
  /** The worker has decided to answer. */
  completed?(requestId: number): void;
  /** The answer is there, at the end of the same turn. */
  answered(requestId: number, error: PortError | null): void;
}

/** The kernel of one node, as far as devices go: at most one is there. */
export class DeviceHost {
  readonly scheduler: Scheduler;
  readonly user: DeviceUser;
  /** The device outlives a crash of its worker. */
  readonly survives: boolean;
  #device: SimDevice | null = null;

  constructor(scheduler: Scheduler, user: DeviceUser, survives = false) {
    this.scheduler = scheduler;
    this.user = user;
    this.survives = survives;
  }

  /** The device for a worker: the one that an earlier one has left, or a new one. */
  provide(geometry: DeviceGeometry): SimDevice {
    const left = this.#device;
    if (left?.open === true && sameGeometry(left.geometry, geometry)) return left;
    left?.vanish();
    this.#device = new SimDevice(this, geometry);
    return this.#device;
  }

  /** A worker exits of its own will, and leaves no device of its own. */
  exited(owner: SimProcess): void {
    if (this.#device?.owner === owner) this.#device.vanish();
  }

  /** A device that no worker serves is removed. */
  removeOrphan(): void {
    if (this.#device?.owner === null) this.#device.vanish();
  }
}

/** The devices as one worker process sees them. */
export class SimDevices implements Devices {
  readonly #host: DeviceHost;
  readonly #owner: SimProcess;

  constructor(host: DeviceHost, owner: SimProcess) {
    this.#host = host;
    this.#owner = owner;
  }

  create(geometry: DeviceGeometry, handler: DeviceHandler): Device {
    const device = this.#host.provide(geometry);
    device.serveBy(this.#owner, handler);
    return device;
  }
}

export class SimDevice implements Device, EventHandler {
  readonly geometry: DeviceGeometry;
  readonly #host: DeviceHost;
  /** Requests and answers keep their order. */
  readonly #lane: number;
  #open = true;
  #owner: SimProcess | null = null;
  #handler: DeviceHandler | null = null;
  /** How many workers have served it. */
  #workers = 0;
  /** Requests that no worker has seen yet. */
  #queue: DeviceRequest[] = [];
  /** Requests that the worker has and has not answered, oldest first; only a device that survives it needs them. */
  readonly #unanswered = new Map<number, DeviceRequest>();
  #answeredIds: number[] = [];
  #answeredErrors: (PortError | null)[] = [];
  /** The worker takes the oldest request; a turn. */
  readonly #take = (): void => {
    if (!this.#open) return;
    const request = this.#queue.shift();
    if (request === undefined) return;
    if (this.#host.survives) this.#unanswered.set(request.id, request);
    this.#handler?.submitted(request);
  };

  /** What was answered in a turn is handed over when it ends. */
  readonly #answer = (): void => {
    const ids = this.#answeredIds;
    const errors = this.#answeredErrors;
    this.#answeredIds = [];
    this.#answeredErrors = [];
    for (let i = 0; i < ids.length; i++) this.#host.user.answered(ids[i] ?? 0, errors[i] ?? null);
  };

  constructor(host: DeviceHost, geometry: DeviceGeometry) {
    this.geometry = geometry;
    this.#host = host;
    this.#lane = host.scheduler.newLane();
    host.scheduler.after(HOP_MS, () => {
      if (this.#open) host.user.deviceAppeared(this);
    });
  }

  get open(): boolean {
    return this.#open;
  }

  get recovered(): boolean {
    return this.#workers > 1;
  }

  /** The worker that serves it. */
  get owner(): SimProcess | null {
    return this.#owner;
  }

  /** A worker serves the device from now on; it begins with what an earlier one has left undone. */
  serveBy(owner: SimProcess, handler: DeviceHandler): void {
    this.#owner = owner;
    this.#handler = handler;
    this.#workers++;
    this.#queue = [...this.#unanswered.values(), ...this.#queue];
    this.#unanswered.clear();
    for (let i = 0; i < this.#queue.length; i++) this.#announce();
    owner.onDeath((death) => {
      if (this.#owner === owner) this.#orphaned(death);
    });
  }

  /** The application asks. */
  submit(request: DeviceRequest): void {
    if (!this.#open) return;
    this.#queue.push(request);
    if (this.#owner !== null) this.#announce();
  }

  complete(requestId: number, error: PortError | null): void {
    this.#unanswered.delete(requestId);
    this.#host.user.completed?.(requestId);
    if (this.#answeredIds.length === 0) this.#owner?.turns.atEnd(this.#answer);
    this.#answeredIds.push(requestId);
    this.#answeredErrors.push(error);
  }

  close(done: Done): void {
    const owner = this.#owner;
    this.vanish();
    this.#host.scheduler.after(HOP_MS, () => {
      owner?.run(() => {
        done(null);
      });
    });
  }

  /** @internal A request gets to the worker: what was on its way to one that is gone waits for the next. */
  happen(worker: number): void {
    if (worker === this.#workers) this.#owner?.run(this.#take);
  }

  /** The device is no more. */
  vanish(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#owner = null;
    this.#host.user.deviceVanished(this);
  }

  #orphaned(death: Death): void {
    this.#owner = null;
    this.#handler = null;
    if (death === 'power' || !this.#host.survives) this.vanish();
  }

  #announce(): void {
    this.#host.scheduler.schedule(HOP_MS, this, this.#workers, this.#lane);
  }
}

function sameGeometry(a: DeviceGeometry, b: DeviceGeometry): boolean {
  return a.provider === b.provider && a.mediaSize === b.mediaSize && a.sectorSize === b.sectorSize;
}
