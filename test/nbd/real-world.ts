/** An NBD device in this process and clients of it, over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Listener } from '../../core/ports/network.js';
import type { NbdClient } from '../../native/nbd/client.js';
import { Turns } from '../../core/base/turns.js';
import { assert } from '../../core/base/assert.js';
import { RealClock } from '../../native/clock.js';
import { connectNbd } from '../../native/nbd/client.js';
import { NbdDevices } from '../../native/nbd/server.js';
import { NodeNetwork } from '../../native/tcp.js';
import type { DeviceSetup } from '../contract/device.js';
import { IGNORED } from './memory-world.js';

class RealWorld {
  readonly devices: NbdDevices;
  readonly #turns = new Turns();
  readonly #network = new NodeNetwork(this.#turns);
  readonly #directory = mkdtempSync(join(tmpdir(), 'hast-nbd-'));
  readonly #clients: NbdClient[] = [];
  #listener: Listener | null = null;

  constructor() {
    const log = { write: () => undefined };
    const clock = new RealClock(this.#turns);
    this.devices = new NbdDevices({ network: this.#network, clock, turns: this.#turns, log });
  }

  get path(): string {
    return join(this.#directory, 'shared0');
  }

  run(callback: () => void): void {
    this.#turns.run(callback);
  }

  async listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#listener = this.#network.listen(
        `uds://${this.path}`,
        (socket) => {
          this.#turns.atEnd(() => {
            this.devices.attach(socket.detach());
          });
          return IGNORED;
        },
        (error) => {
          assert(error === null, 'the test can listen');
          resolve();
        },
      );
    });
  }

  async connect(): Promise<NbdClient> {
    const client = await connectNbd({ path: this.path });
    this.#clients.push(client);
    return client;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await macrotask();
  }

  /** What two local sockets need to pass everything on, many times over. */
  async settle(): Promise<void> {
    for (let round = 0; round < 50; round++) await macrotask();
  }

  async teardown(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await Promise.all(this.#clients.map(async (client) => client.ended));
    this.#listener?.close();
    rmSync(this.#directory, { recursive: true });
  }
}

async function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function realSetup(): Promise<DeviceSetup> {
  const world = new RealWorld();
  await world.listen();
  return {
    devices: world.devices,
    connect: async () => {
      const client = await world.connect();
      return {
        read: async (offset, length) => client.read(offset, length),
        write: async (offset, data) => client.write(offset, data),
        delete: async (offset, length) => client.trim(offset, length),
        flush: async () => client.flush(),
        die: () => {
          client.destroy();
        },
      };
    },
    run: (callback) => {
      world.run(callback);
    },
    finish: async (promise) => promise,
    until: async (condition) => world.until(condition),
    settle: async () => world.settle(),
    teardown: async () => world.teardown(),
  };
}
