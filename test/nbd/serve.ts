/**
 * A process that offers an NBD device over memory, for real clients: `node serve.js <address> <bytes> [sectorSize]`.
 * Prints `ready` when it listens, and ends with an error when a request breaks the rules of core/ports/device.ts.
 */
import type { Device, DeviceRequest } from '../../core/ports/device.js';
import { Turns } from '../../core/base/turns.js';
import { assert } from '../../core/base/assert.js';
import { RealClock } from '../../native/clock.js';
import { NbdDevices } from '../../native/nbd/server.js';
import { NodeNetwork } from '../../native/tcp.js';
import { MemoryBacking } from './backing.js';

const [address = '', mediaText = '', sectorText = '512'] = process.argv.slice(2);
const geometry = { provider: 'shared0', mediaSize: Number(mediaText), sectorSize: Number(sectorText) };
const backing = new MemoryBacking(geometry.mediaSize);
const turns = new Turns();
const network = new NodeNetwork(turns);
const log = {
  write: (level: string, text: string): void => {
    console.error(`[${level}] ${text}`);
  },
};
const devices = new NbdDevices({ network, clock: new RealClock(turns), turns, log });

/** Answers in a later turn, in the order of an impatient disk: the last first. */
class Answerer {
  readonly #waiting: DeviceRequest[] = [];

  submitted(request: DeviceRequest): void {
    const { command, offset, length, data, id } = request;
    assert(offset % geometry.sectorSize === 0 && length % geometry.sectorSize === 0, 'whole sectors');
    assert(offset + length <= geometry.mediaSize, 'on the medium');
    assert((command === 'flush') === (length === 0), 'only a flush has no length');
    assert(command === 'read' || command === 'write' ? data?.length === length : data === null, 'data');
    assert(!this.#waiting.some((other) => other.id === id), 'ids are unique');
    if (this.#waiting.length === 0) setImmediate(this.#answer);
    this.#waiting.push(request);
  }

  gone(): void {
    assert(false, 'nobody removes an NBD device');
  }

  readonly #answer = (): void => {
    turns.run(() => {
      for (const request of this.#waiting.splice(0).reverse()) {
        device.complete(request.id, backing.apply(request));
      }
    });
  };
}

const device: Device = devices.create(geometry, new Answerer());

turns.run(() => {
  network.listen(
    address,
    (socket) => {
      turns.atEnd(() => {
        devices.attach(socket.detach());
      });
      return {
        connected: () => undefined,
        target: () => new Uint8Array(1),
        filled: () => undefined,
        sent: () => undefined,
        closed: () => undefined,
      };
    },
    (error) => {
      if (error !== null) throw new Error(`${address}: ${error.message}`);
      console.log('ready');
    },
  );
});

process.on('SIGTERM', () => {
  turns.run(() => {
    device.close(() => process.exit(0));
  });
});
