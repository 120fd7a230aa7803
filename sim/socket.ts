/** A simulated socket as one process has it; see network.ts. */
import { assert } from '../core/base/assert.js';
import { portError } from '../core/ports/error.js';
import type { PortError } from '../core/ports/error.js';
import type { DetachedSocket, Socket, SocketHandler } from '../core/ports/network.js';
import type { Endpoint } from './endpoint.js';
import type { Host } from './lan.js';
import type { Death, SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

export class SimSocket implements Socket {
  readonly endpoint: Endpoint;
  readonly #scheduler: Scheduler;
  readonly #host: Host;
  readonly #owner: SimProcess;
  readonly #forgetOwner: () => void;
  #handler: SocketHandler | null;
  /** Dialled sockets run from the start; accepted and adopted ones are resumed. */
  #paused: boolean;
  #gone = false;
  /** Lent chunks, the first one partly handed over. */
  #outgoing: Uint8Array[] = [];
  #sentBytes = 0;
  /** What was read before the socket was adopted. */
  #unread: Uint8Array;
  #handOverScheduled = false;
  #deliveryScheduled = false;

  constructor(
    scheduler: Scheduler,
    host: Host,
    owner: SimProcess,
    endpoint: Endpoint,
    handler: SocketHandler | null,
    unread: Uint8Array | null,
  ) {
    this.endpoint = endpoint;
    this.#scheduler = scheduler;
    this.#host = host;
    this.#owner = owner;
    this.#handler = handler;
    this.#unread = unread ?? new Uint8Array(0);
    this.#paused = endpoint.state !== 'connecting';
    this.#forgetOwner = owner.onDeath((death) => {
      this.#die(death);
    });
    endpoint.user = {
      established: () => {
        this.#owner.whenRunning(() => {
          if (this.#gone) return;
          this.#owner.run(() => this.#handler?.connected());
          this.#scheduleHandOver();
        });
      },
      readable: () => {
        this.#owner.whenRunning(() => {
          this.#deliver();
        });
      },
      writable: () => {
        this.#owner.whenRunning(() => {
          this.#scheduleHandOver();
        });
      },
    };
  }

  get localAddress(): string {
    return this.endpoint.localAddress;
  }

  get remoteAddress(): string {
    return this.endpoint.remoteAddress;
  }

  /** The handler of an accepted socket is known only after the socket. */
  attach(handler: SocketHandler): void {
    this.#handler = handler;
  }

  send(chunks: readonly Uint8Array[]): void {
    if (this.#gone) return;
    for (const chunk of chunks) if (chunk.length > 0) this.#outgoing.push(chunk);
    this.#scheduleHandOver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#scheduleDelivery();
  }

  detach(): DetachedSocket {
    assert(!this.#gone, 'a closed socket cannot be given away');
    assert(this.#outgoing.length === 0, 'a socket is given away after everything was sent');
    this.#leave();
    return { handle: this.endpoint, unread: this.#unread };
  }

  destroy(): void {
    this.#close(null);
  }

  /** The connection could not be made. */
  fail(error: PortError): void {
    this.#close(error);
  }

  /** Nothing of this socket happens from now on. */
  #leave(): void {
    this.#gone = true;
    this.#outgoing = [];
    this.#forgetOwner();
    this.endpoint.user = null;
  }

  /** A kernel closes what its dead processes had; one without power does not. */
  #die(death: Death): void {
    this.#leave();
    if (death === 'power') return;
    this.#host.disown(this.endpoint);
    this.endpoint.close();
  }

  #close(error: PortError | null): void {
    if (this.#gone) return;
    this.#leave();
    this.#host.disown(this.endpoint);
    this.endpoint.close();
    this.#scheduler.after(0, () => {
      this.#owner.run(() => this.#handler?.closed(error));
    });
  }

  #scheduleHandOver(): void {
    if (this.#handOverScheduled) return;
    this.#handOverScheduled = true;
    this.#scheduler.after(0, () => {
      this.#owner.whenRunning(() => {
        this.#handOverScheduled = false;
        this.#handOver();
      });
    });
  }

  /** Everything that was sent in a turn goes out at once, as far as there is room. */
  #handOver(): void {
    if (this.#gone || this.endpoint.state === 'connecting' || this.#outgoing.length === 0) return;
    if (this.endpoint.state !== 'open') {
      this.#close(portError('ECONNRESET', 'the connection was reset by the peer'));
      return;
    }
    const before = this.#sentBytes;
    for (let head = this.#outgoing[0]; head !== undefined; head = this.#outgoing[0]) {
      const taken = this.endpoint.send(head);
      this.#sentBytes += taken;
      if (taken < head.length) {
        this.#outgoing[0] = head.subarray(taken);
        break;
      }
      this.#outgoing.shift();
    }
    if (this.#sentBytes > before) this.#owner.run(() => this.#handler?.sent(this.#sentBytes));
  }

  #scheduleDelivery(): void {
    if (this.#deliveryScheduled) return;
    this.#deliveryScheduled = true;
    this.#scheduler.after(0, () => {
      this.#owner.whenRunning(() => {
        this.#deliveryScheduled = false;
        this.#deliver();
      });
    });
  }

  /** Gives the handler all that can be read, then the end; one turn. A paused socket does not notice anything. */
  #deliver(): void {
    if (this.#gone) return;
    if (this.endpoint.state === 'refused') {
      this.#close(portError('ECONNREFUSED', `${this.remoteAddress} refused the connection`));
      return;
    }
    if (this.#canRead()) {
      this.#owner.run(() => {
        while (this.#canRead()) this.#fill();
      });
    }
    if (this.#paused || this.#gone) return;
    if (this.endpoint.state === 'reset') {
      this.#close(portError('ECONNRESET', 'the connection was reset by the peer'));
    } else if (this.endpoint.atEnd) this.#close(null);
  }

  #canRead(): boolean {
    return !this.#paused && !this.#gone && (this.#unread.length > 0 || this.endpoint.unreadBytes > 0);
  }

  #fill(): void {
    const handler = this.#handler;
    if (handler === null) return;
    const target = handler.target();
    assert(target.length > 0, 'there is always room for a byte');
    if (this.#unread.length === 0) {
      handler.filled(this.endpoint.read(target));
      return;
    }
    const bytes = Math.min(target.length, this.#unread.length);
    target.set(this.#unread.subarray(0, bytes));
    this.#unread = this.#unread.subarray(bytes);
    handler.filled(bytes);
  }
}
