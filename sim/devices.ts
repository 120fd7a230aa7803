/** The Devices port of a simulated worker: the application of the world stands behind it, without a protocol between. */
import type { Device, DeviceGeometry, DeviceHandler, DeviceRequest, Devices } from '../core/ports/device.js';
import type { Done, PortError } from '../core/ports/error.js';
import type { SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** Passing a request to the worker or its answer back takes so long. */
const HOP_MS = 0.02;

/** Who uses the device of a node. */
export interface DeviceUser {
  /** A device is there. */
  deviceAppeared(device: SimDevice): void;
  /** It is gone; requests without an answer will never get one. */
  deviceVanished(device: SimDevice): void;
  answered(requestId: number, error: PortError | null): void;
}

export class SimDevices implements Devices {
  readonly #scheduler: Scheduler;
  readonly #owner: SimProcess;
  readonly #user: DeviceUser;

  constructor(scheduler: Scheduler, owner: SimProcess, user: DeviceUser) {
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#user = user;
  }

  create(geometry: DeviceGeometry, handler: DeviceHandler): Device {
    return new SimDevice(geometry, handler, this.#scheduler, this.#owner, this.#user);
  }
}

export class SimDevice implements Device {
  readonly geometry: DeviceGeometry;
  readonly #handler: DeviceHandler;
  readonly #scheduler: Scheduler;
  readonly #owner: SimProcess;
  readonly #user: DeviceUser;
  #open = true;

  constructor(
    geometry: DeviceGeometry,
    handler: DeviceHandler,
    scheduler: Scheduler,
    owner: SimProcess,
    user: DeviceUser,
  ) {
    this.geometry = geometry;
    this.#handler = handler;
    this.#scheduler = scheduler;
    this.#owner = owner;
    this.#user = user;
    owner.onDeath(() => {
      this.#vanish();
    });
    scheduler.after(HOP_MS, () => {
      if (this.#open) user.deviceAppeared(this);
    });
  }

  /** The application asks. */
  submit(request: DeviceRequest): void {
    this.#scheduler.after(HOP_MS, () => {
      if (!this.#open) return;
      this.#owner.run(() => {
        this.#handler.submitted(request);
      });
    });
  }

  complete(requestId: number, error: PortError | null): void {
    this.#scheduler.after(HOP_MS, () => {
      this.#user.answered(requestId, error);
    });
  }

  close(done: Done): void {
    this.#vanish();
    this.#scheduler.after(HOP_MS, () => {
      this.#owner.run(() => {
        done(null);
      });
    });
  }

  #vanish(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#user.deviceVanished(this);
  }
}
