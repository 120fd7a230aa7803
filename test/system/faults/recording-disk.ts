/**
 * A disk of the test's own, offered to hastd as a file (our NBD server under nbdfuse): it remembers every write and
 * every flush in the order in which they arrived, so that any moment's power failure can be looked at later.
 *
 * It lives in the test's process. So the order of its events and of what the application was told is one order: what an
 * event says had reached the disk before anything that the application heard afterwards. And so the test must not touch
 * the file with calls that wait (readFileSync): it would wait for itself.
 */
import { join } from 'node:path';
import { assert, unreachable } from '../../../core/base/assert.js';
import { Turns } from '../../../core/base/turns.js';
import type { Device, DeviceRequest } from '../../../core/ports/device.js';
import type { Listener, SocketHandler } from '../../../core/ports/network.js';
import { RealClock } from '../../../native/clock.js';
import { NbdDevices } from '../../../native/nbd/server.js';
import { NodeNetwork } from '../../../native/tcp.js';
import type { Random } from '../../../sim/random.js';
import type { Host } from '../lab/host.js';
import { insert } from './inserted-disk.js';
import type { DiskWrite, Survivors } from './volatile-disk.js';
import { SECTOR_BYTES, VolatileDisk } from './volatile-disk.js';

export interface DiskRecorder {
  written(write: DiskWrite): void;
  flushed(): void;
}

/** Until a connection is handed to the device nothing is read from it. */
const UNREAD: SocketHandler = {
  connected: () => undefined,
  target: () => new Uint8Array(1),
  filled: () => undefined,
  sent: () => undefined,
  closed: () => undefined,
};

export class RecordingDisk {
  readonly content: VolatileDisk;
  /** How long a WRITE takes. */
  writeDelayMs = 0;
  readonly #turns = new Turns();
  readonly #recorder: DiskRecorder;
  readonly #host: Host;
  readonly #name: string;
  readonly #device: Device;
  #listener: Listener | null = null;

  /** `mediaSize` zeros; `insert` it when the host is on. */
  constructor(host: Host, name: string, mediaSize: number, recorder: DiskRecorder) {
    this.#host = host;
    this.#name = name;
    this.#recorder = recorder;
    this.content = new VolatileDisk(new Uint8Array(mediaSize));
    const clock = new RealClock(this.#turns);
    const network = new NodeNetwork(this.#turns);
    const log = { write: () => undefined };
    const devices = new NbdDevices({ network, clock, turns: this.#turns, log });
    this.#device = devices.create(
      { provider: 'disk', mediaSize, sectorSize: SECTOR_BYTES },
      { submitted: (request) => this.#submitted(request), gone: () => assert(false, 'nobody removes it') },
    );
    this.#listen(network, devices);
  }

  /** Makes it the file `insertedPath(name)` on its host, until that is powered off. */
  async insert(): Promise<void> {
    await insert(this.#host, this.#name, this.#socket);
  }

  /** Whoever used the file must be gone. Returns how many writes were in danger. */
  powerFails(survivors: Survivors, random: Random): number {
    const endangered = this.content.unflushedWrites;
    this.content.become(this.content.crashImage(survivors, random));
    return endangered;
  }

  async close(): Promise<void> {
    this.#listener?.close();
    await new Promise<void>((resolve) => {
      this.#turns.run(() => {
        this.#device.close(() => {
          resolve();
        });
      });
    });
  }

  get #socket(): string {
    return join(this.#host.folder, `${this.#name}.sock`);
  }

  #listen(network: NodeNetwork, devices: NbdDevices): void {
    this.#turns.run(() => {
      this.#listener = network.listen(
        `uds://${this.#socket}`,
        (socket) => {
          this.#turns.atEnd(() => {
            devices.attach(socket.detach());
          });
          return UNREAD;
        },
        (error) => assert(error === null, `the disk cannot listen: ${error?.message ?? ''}`),
      );
    });
  }

  /** A request takes effect when it arrives, or after the delay; it is answered afterwards. */
  #submitted(request: DeviceRequest): void {
    const later = request.command === 'write' && this.writeDelayMs > 0;
    const execute = (): void => {
      this.#execute(request);
      this.#turns.run(() => {
        this.#device.complete(request.id, null);
      });
    };
    if (later) setTimeout(execute, this.writeDelayMs);
    else setImmediate(execute);
  }

  #execute({ command, offset, length, data }: DeviceRequest): void {
    switch (command) {
      case 'read':
        data?.set(this.content.visible.subarray(offset, offset + length));
        return;
      case 'write':
        this.#write({ offset, data: data?.slice() ?? new Uint8Array(length) });
        return;
      case 'delete':
        this.#write({ offset, data: new Uint8Array(length) });
        return;
      case 'flush':
        this.content.flush();
        this.#recorder.flushed();
        return;
      default:
        unreachable(command);
    }
  }

  #write(write: DiskWrite): void {
    this.content.write(write);
    this.#recorder.written(write);
  }
}
