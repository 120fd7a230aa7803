/** A medium in memory behind a device: what a trivial core would do with requests. */
import type { DeviceRequest } from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import { unreachable } from '../../core/base/assert.js';

export class MemoryBacking {
  readonly bytes: Uint8Array;
  flushes = 0;

  constructor(mediaSize: number) {
    this.bytes = new Uint8Array(mediaSize);
  }

  /** A deleted range reads as zeros. */
  apply(request: DeviceRequest): PortError | null {
    const { command, offset, length, data } = request;
    switch (command) {
      case 'read':
        data?.set(this.bytes.subarray(offset, offset + length));
        break;
      case 'write':
        this.bytes.set(data ?? [], offset);
        break;
      case 'delete':
        this.bytes.fill(0, offset, offset + length);
        break;
      case 'flush':
        this.flushes++;
        break;
      default:
        unreachable(command);
    }
    return null;
  }
}
