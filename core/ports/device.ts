import type { Done, PortError } from './error.js';

/**
 * The block device that a primary offers (NBD export, GEOM gate provider). Applications' requests come in
 * through `DeviceHandler`, answers go out through `complete`.
 */
export interface Devices {
  create(geometry: DeviceGeometry, handler: DeviceHandler): Device;
}

/** Devices that outlive their workers, as the main daemon sees them. */
export interface LeftDevices {
  /** Removes the device of `provider` if there is one: whoever uses it gets ENXIO. `done` when it is gone. */
  remove(provider: string, done: Done): void;
}

export interface DeviceGeometry {
  /** Provider name without the `hast/` directory. */
  readonly provider: string;
  readonly mediaSize: number;
  readonly sectorSize: number;
}

export type DeviceCommand = 'read' | 'write' | 'delete' | 'flush';

export interface DeviceRequest {
  /** Unique among outstanding requests of the device. */
  readonly id: number;
  readonly command: DeviceCommand;
  /** Bytes from the start of the device, multiple of the sector size, in range (the device checks). FLUSH: 0. */
  readonly offset: number;
  /** Bytes, multiple of the sector size; may exceed the core's maximum, which splits. FLUSH: 0. */
  readonly length: number;
  /** WRITE: what to write. READ: where to put it. `length` bytes, lent to the core until `complete`. */
  readonly data: Uint8Array | null;
}

export interface Device {
  /** An earlier worker had it and died; its clients are waiting for it, or know nothing of that. */
  readonly recovered: boolean;
  /** Answers a request, exactly once. */
  complete(requestId: number, error: PortError | null): void;
  /** Removes the device: no further `submitted`; requests not yet completed fail with ENXIO at the client. */
  close(done: Done): void;
}

export interface DeviceHandler {
  submitted(request: DeviceRequest): void;
  /** The device was removed by somebody else; the worker cannot go on. */
  gone(error: PortError): void;
}
