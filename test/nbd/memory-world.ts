/**
 * An NBD device on the in-memory network: a main daemon that accepts clients and hands them over, the worker with the
 * device, and clients, each a process of one simulated machine.
 */
import type { Turns } from '../../core/base/turns.js';
import type { PortError } from '../../core/ports/error.js';
import type { DetachedSocket, Socket, SocketHandler } from '../../core/ports/network.js';
import type { NbdClientOptions } from '../../native/nbd/client.js';
import type { SimLog } from '../../sim/log.js';
import { assert } from '../../core/base/assert.js';
import { NbdClient } from '../../native/nbd/client.js';
import { NbdDevices } from '../../native/nbd/server.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine } from '../../sim/machine.js';
import type { Booted } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';

const ADDRESS = 'uds:///var/run/hast/shared0';

export class MemoryWorld {
  readonly scheduler = new Scheduler();
  readonly devices: NbdDevices;
  readonly log: SimLog;
  readonly #machine: SimMachine;
  readonly #worker: Booted;
  #clients = 0;

  constructor(seed = 1) {
    const lan = new Lan(this.scheduler, seed);
    this.#machine = new SimMachine(this.scheduler, lan, lan.addHost('a', ['10.0.0.1']), [], seed);
    this.#worker = this.#machine.boot('worker');
    const { network, clock, log, process } = this.#worker;
    this.log = log;
    this.devices = new NbdDevices({ network, clock, log, turns: process.turns });
    this.#listen(this.#machine.boot('main'));
  }

  get turns(): Turns {
    return this.#worker.process.turns;
  }

  run(callback: () => void): void {
    this.#worker.process.run(callback);
  }

  /** A connection that says and reads what the test tells it to. */
  connectRaw(): RawClient {
    const client = new RawClient(this.#machine.boot(`client ${String(this.#clients++)}`), ADDRESS);
    this.runUntil(() => client.hasReceived || client.isClosed);
    this.scheduler.runFor(1);
    return client;
  }

  /** A client that has negotiated. */
  async connect(options: NbdClientOptions = {}): Promise<NbdClient & { die(): void }> {
    const booted = this.#machine.boot(`client ${String(this.#clients++)}`);
    let socket: Socket | null = null;
    const input = new Uint8Array(64 << 10);
    const client = new NbdClient(
      { send: (chunks) => socket?.send(chunks), destroy: () => socket?.destroy() },
      options,
    );
    const handler: SocketHandler = {
      connected: () => undefined,
      target: () => input,
      filled: (bytes) => {
        client.received(input.subarray(0, bytes));
      },
      sent: () => undefined,
      closed: (error) => {
        client.lost(error?.message ?? 'closed by the server');
      },
    };
    booted.process.run(() => {
      socket = booted.network.dial(ADDRESS, null, handler);
    });
    await this.finish(client.negotiate());
    return Object.assign(client, {
      die: () => {
        booted.process.kill();
        client.lost('killed');
      },
    });
  }

  /** Virtual time passes, and promises run, until `promise` is settled. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => undefined);
    for (let round = 0; !isSettled; round++) {
      assert(round < 100_000, 'the promise is never settled');
      this.scheduler.runFor(0.5);
      await macrotask();
    }
    return settled;
  }

  async until(condition: () => boolean): Promise<void> {
    for (let round = 0; !condition(); round++) {
      assert(round < 100_000, 'the condition never holds');
      this.scheduler.runFor(0.5);
      await macrotask();
    }
  }

  runUntil(condition: () => boolean): void {
    assert(this.scheduler.runUntil(condition, 60_000), 'the condition never holds');
  }

  async settle(): Promise<void> {
    this.scheduler.runFor(20);
    await macrotask();
  }

  #listen(main: Booted): void {
    main.process.run(() => {
      main.network.listen(
        ADDRESS,
        (socket) => {
          // Given away in the turn that ends the acceptance, when it has its handler.
          main.process.turns.atEnd(() => {
            this.#handOver(socket.detach());
          });
          return IGNORED;
        },
        (error) => {
          assert(error === null, 'the main daemon can listen');
        },
      );
    });
    this.scheduler.runFor(1);
  }

  /** As through a channel between processes: some time later. */
  #handOver(client: DetachedSocket): void {
    this.scheduler.after(0.1, () => {
      this.run(() => {
        this.devices.attach(client);
      });
    });
  }
}

/** Handler of a connection that is given away at once. */
export const IGNORED: SocketHandler = {
  connected: () => undefined,
  target: () => new Uint8Array(1),
  filled: () => undefined,
  sent: () => undefined,
  closed: () => undefined,
};

async function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Collects what the server sends, and reads only when told to. */
export class RawClient implements SocketHandler {
  #received: Buffer[] = [];
  isClosed = false;
  closedWith: PortError | null = null;
  readonly #booted: Booted;
  readonly #input = new Uint8Array(64 << 10);
  #socket: Socket | null = null;

  constructor(booted: Booted, address: string) {
    this.#booted = booted;
    booted.process.run(() => {
      this.#socket = booted.network.dial(address, null, this);
    });
  }

  get hasReceived(): boolean {
    return this.#received.length > 0;
  }

  send(...chunks: readonly Uint8Array[]): void {
    this.#booted.process.run(() => this.#socket?.send(chunks));
  }

  /** Ends as a killed process does. */
  die(): void {
    this.#booted.process.kill();
  }

  stopReading(): void {
    this.#socket?.pause();
  }

  readOn(): void {
    this.#socket?.resume();
  }

  /** What has arrived since the last call. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#received);
    this.#received = [];
    return bytes;
  }

  connected(): void {
    return;
  }
  target(): Uint8Array {
    return this.#input;
  }
  filled(bytes: number): void {
    this.#received.push(Buffer.from(this.#input.subarray(0, bytes)));
  }
  sent(): void {
    return;
  }
  closed(error: PortError | null): void {
    this.isClosed = true;
    this.closedWith = error;
  }
}
