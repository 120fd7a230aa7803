/**
 * The NBD device of a primary's worker (core/spec/integration.md section 7): any number of clients on one provider,
 * many requests in flight on each. Clients arrive as sockets that the main daemon accepted and handed over unread
 * (`attach`), so this is synchronous and port-based like the core: it runs on the in-memory network too.
 *
 * FLUSH needs nothing special: it is submitted when it arrives, and the core's flush covers every request completed
 * before that, whichever client it came from. That is what the announced multi-connection flag promises.
 */
import type { Turns } from '../../core/base/turns.js';
import type { Clock, Timer } from '../../core/ports/clock.js';
import type { Device, DeviceGeometry, DeviceHandler, Devices } from '../../core/ports/device.js';
import type { Done, PortError } from '../../core/ports/error.js';
import type { Log } from '../../core/ports/log.js';
import type { DetachedSocket, Network, SocketHandler } from '../../core/ports/network.js';
import { assert } from '../../core/base/assert.js';
import { portError } from '../../core/ports/error.js';
import { NbdConnection } from './connection.js';
import { NbdRequest } from './request.js';
import { Slab } from './slab.js';

/** Payloads in flight on one device, all clients together. */
const SLAB_BYTES = 64 << 20;
/** Requests in flight on one device, replies not yet handed to the system included. */
const MAX_REQUESTS = 1024;
const MAX_CONNECTIONS = 128;
/** How long a client may take until it is served. */
const HANDSHAKE_MS = 30_000;
/** A client that holds memory and does not move for so long, while others wait for memory, is dropped. */
const STALL_MS = 30_000;
/** How long clients may take to read the last answers of a removed device. */
const CLOSE_MS = 1_000;

/** What outstanding requests of a removed device are answered with; travels as ESHUTDOWN. */
const REMOVED = portError('ENXIO', 'the device is being removed');

/** A connection that is closed before it begins: only `closed` is ever called. */
const TURNED_AWAY: SocketHandler = {
  connected: () => undefined,
  target: () => new Uint8Array(1),
  filled: () => undefined,
  sent: () => undefined,
  closed: () => undefined,
};

/** What the NBD device needs of its worker. */
export interface NbdPorts {
  readonly network: Network;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly log: Log;
}

/** The provider of one worker: at most one device at a time. */
export class NbdDevices implements Devices {
  readonly #ports: NbdPorts;
  readonly #recovered: boolean;
  #device: NbdDevice | null = null;

  /** `recovered`: an earlier worker had offered the device, and the listening socket is still that one. */
  constructor(ports: NbdPorts, recovered = false) {
    this.#ports = ports;
    this.#recovered = recovered;
  }

  create(geometry: DeviceGeometry, handler: DeviceHandler): Device {
    assert(this.#device === null || this.#device.isClosed, 'a worker has one device');
    this.#device = new NbdDevice(this.#ports, geometry, handler, this.#recovered);
    return this.#device;
  }

  /** Serves a client whose connection somebody else accepted, within a turn. Without a device it is turned away. */
  attach(client: DetachedSocket): void {
    if (this.#device !== null && !this.#device.isClosed) this.#device.attach(client);
    else this.#ports.network.adopt(client, TURNED_AWAY).destroy();
  }
}

/** Device side of a connection: slots, slab, who waits for them, the way to the core. */
export class NbdDevice implements Device {
  readonly geometry: DeviceGeometry;
  readonly recovered: boolean;
  readonly #ports: NbdPorts;
  readonly #handler: DeviceHandler;
  readonly #slab = new Slab(SLAB_BYTES);
  readonly #connections = new Set<NbdConnection>();
  /** Every slot ever used; a request's id is its index. */
  readonly #requests: NbdRequest[] = [];
  readonly #free: NbdRequest[] = [];
  /** Connections with a request that there is no room for, first come first served. */
  readonly #waiting: NbdConnection[] = [];
  #admitting = false;
  #stallTimer: Timer | null = null;
  #closeTimer: Timer | null = null;
  #closed: Done | null = null;

  constructor(ports: NbdPorts, geometry: DeviceGeometry, handler: DeviceHandler, recovered: boolean) {
    this.#ports = ports;
    this.geometry = geometry;
    this.recovered = recovered;
    this.#handler = handler;
  }

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  attach(client: DetachedSocket): void {
    const connection = new NbdConnection(this);
    const socket = this.#ports.network.adopt(client, connection);
    this.#connections.add(connection);
    connection.start(socket);
    if (this.#connections.size > MAX_CONNECTIONS) {
      connection.dropFor(`${MAX_CONNECTIONS.toString()} clients are connected already`);
      return;
    }
    this.#ports.clock.after(HANDSHAKE_MS, () => {
      if (connection.isNegotiating) connection.dropFor('it does not come to the point');
    });
  }

  /** Ignored once the device is closed: the client was answered then. */
  complete(requestId: number, error: PortError | null): void {
    if (this.isClosed) return;
    const request = this.#requests[requestId];
    assert(request?.state === 'submitted', 'the core completes a request once');
    if (error === null && request.advance()) {
      request.state = 'stepping';
      // Not from here: the core is in the middle of completing.
      this.#ports.turns.atEnd(() => {
        this.#continue(request);
      });
      return;
    }
    request.connection?.answer(request, error);
  }

  close(done: Done): void {
    assert(!this.isClosed, 'a device is closed once');
    this.#closed = done;
    this.#stallTimer?.cancel();
    for (const request of this.#requests) {
      const isOutstanding = request.state === 'submitted' || request.state === 'stepping';
      if (isOutstanding) request.connection?.answer(request, REMOVED);
    }
    this.#closeTimer = this.#ports.clock.after(CLOSE_MS, () => {
      for (const connection of this.#connections) connection.drop();
    });
    for (const connection of this.#connections) connection.leave();
    this.#ports.turns.atEnd(() => {
      this.#finishClosing();
    });
  }

  // What connections call.

  /** A slot with `bytes` of slab for the request that `connection` has just read; null: it waits for its turn. */
  reserve(connection: NbdConnection, bytes: number): NbdRequest | null {
    const isNext = this.#waiting.length === 0 || this.#waiting[0] === connection;
    const request = isNext ? this.#take(bytes) : null;
    if (request === null) {
      if (!this.isWaiting(connection)) this.#waiting.push(connection);
      this.#watchStalled();
    } else if (this.#waiting[0] === connection) {
      this.#waiting.shift();
    }
    return request;
  }

  isWaiting(connection: NbdConnection): boolean {
    return this.#waiting.includes(connection);
  }

  /** Gives a slot and its memory back, for whoever waits. */
  release(request: NbdRequest): void {
    assert(request.state !== 'free', 'a slot is released once');
    request.state = 'free';
    request.connection = null;
    request.data = null;
    if (request.slabLength > 0) this.#slab.release(request.slabOffset, request.slabLength);
    this.#free.push(request);
    this.#admitLater();
  }

  submit(request: NbdRequest): void {
    request.state = 'submitted';
    this.#handler.submitted(request);
  }

  disconnected(connection: NbdConnection, error: PortError | null): void {
    this.#connections.delete(connection);
    if (error !== null) this.#ports.log.write('debug1', `${connection.name} went away: ${error.message}.`);
    const place = this.#waiting.indexOf(connection);
    if (place >= 0) this.#waiting.splice(place, 1);
    this.#admitLater();
    if (this.isClosed) this.#finishClosing();
  }

  report(connection: NbdConnection, why: string): void {
    this.#ports.log.write('warning', `${connection.name} was disconnected: ${why}.`);
  }

  #take(bytes: number): NbdRequest | null {
    if (this.#free.length === 0 && this.#requests.length >= MAX_REQUESTS) return null;
    const slabOffset = bytes > 0 ? this.#slab.allocate(bytes) : 0;
    if (slabOffset < 0) return null;
    const request = this.#free.pop() ?? this.#addSlot();
    request.slabOffset = slabOffset;
    request.slabLength = bytes;
    request.data = bytes > 0 ? this.#slab.view(slabOffset, bytes) : null;
    return request;
  }

  #addSlot(): NbdRequest {
    const request = new NbdRequest(this.#requests.length);
    this.#requests.push(request);
    return request;
  }

  /** The next device request of the same NBD request; a client that is gone needs none. */
  #continue(request: NbdRequest): void {
    if (request.state !== 'stepping') return;
    if (request.connection?.isGone === true) request.connection.answer(request, null);
    else this.submit(request);
  }

  /** Room came back within somebody's callback: those who wait go on when the turn ends. */
  #admitLater(): void {
    if (this.#waiting.length === 0 || this.#admitting || this.isClosed) return;
    this.#admitting = true;
    this.#ports.turns.atEnd(() => {
      this.#admitting = false;
      this.#admit();
    });
  }

  #admit(): void {
    while (!this.isClosed) {
      const head = this.#waiting[0];
      if (head === undefined) return;
      head.retry();
      if (this.#waiting[0] === head) return;
    }
  }

  #watchStalled(): void {
    if (this.#stallTimer !== null) return;
    for (const connection of this.#connections) connection.hasMoved = false;
    this.#stallTimer = this.#ports.clock.after(STALL_MS, () => {
      this.#stallTimer = null;
      this.#dropStalled();
    });
  }

  #dropStalled(): void {
    if (this.#waiting.length === 0) return;
    for (const connection of this.#connections) {
      if (connection.hasMoved || !connection.holdsMemory) continue;
      connection.dropFor('it stopped moving while others wait for memory');
    }
    this.#watchStalled();
  }

  #finishClosing(): void {
    if (this.#connections.size > 0 || this.#closed === null || this.#closeTimer === null) return;
    this.#closeTimer.cancel();
    this.#closeTimer = null;
    this.#closed(null);
  }
}
