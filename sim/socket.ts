/** A simulated socket as one process has it; see network.ts. */
import { assert, unreachable } from '../core/base/assert.js';
import { portError } from '../core/ports/error.js';
import type { PortError } from '../core/ports/error.js';
import type { DetachedSocket, Socket, SocketHandler } from '../core/ports/network.js';
import type { Endpoint, EndpointUser } from './endpoint.js';
import type { EventHandler } from './event-heap.js';
import type { Host } from './lan.js';
import type { Death, SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** One `sent` in so many is told later than at the end of the turn, as by a kernel that was busy. */
const LATE_ONE_IN = 8;
const LATE_US = 1000;

const NOTHING = new Uint8Array(0);

const HAND_OVER = 0;
const DELIVER = 1;
const TELL_SENT = 2;
const TELL_CLOSED = 3;
const TELL_CONNECTED = 4;
/** What waits until the process is running. */
type Step = typeof HAND_OVER | typeof DELIVER | typeof TELL_SENT | typeof TELL_CLOSED | typeof TELL_CONNECTED;

export class SimSocket implements Socket, EndpointUser, EventHandler {
  readonly endpoint: Endpoint;
  /** Nobody has a user id here, unless a test says so. */
  peerUid: number | null = null;
  readonly #scheduler: Scheduler;
  readonly #host: Host;
  readonly #owner: SimProcess;
  readonly #forgetOwner: () => void;
  #handler: SocketHandler | null;
  /** Dialled sockets run from the start; accepted and adopted ones are resumed. */
  #paused: boolean;
  #gone = false;
  #error: PortError | null = null;
  /** Lent chunks, the first one partly handed over. */
  #outgoing: Uint8Array[] = [];
  #sentBytes = 0;
  #toldBytes = 0;
  /** What was read before the socket was adopted. */
  #unread: Uint8Array;
  #handOverDue = false;
  #deliveryDue = false;
  readonly #handOver = (): void => {
    this.#handOverDue = false;
    this.#handOverAll();
  };
  readonly #fillAll = (): void => {
    while (this.#canRead()) this.#fill();
  };
  readonly #tellSent = (): void => {
    if (this.#gone || this.#toldBytes === this.#sentBytes) return;
    this.#toldBytes = this.#sentBytes;
    this.#handler?.sent(this.#sentBytes);
  };

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
    this.#unread = unread ?? NOTHING;
    this.#paused = endpoint.state !== 'connecting';
    this.#forgetOwner = owner.onDeath((death) => {
      this.#die(death);
    });
    endpoint.user = this;
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
    if (this.endpoint.state !== 'connecting') this.#handOverSoon();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#deliveryDue) return;
    this.#deliveryDue = true;
    this.#schedule(0, DELIVER);
  }

  detach(): DetachedSocket {
    assert(!this.#gone, 'a closed socket cannot be given away');
    const allSent = this.#outgoing.length === 0 && this.#toldBytes === this.#sentBytes;
    assert(allSent, 'a socket is given away after everything was sent');
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

  established(): void {
    this.happen(TELL_CONNECTED);
  }

  readable(): void {
    if (!this.#owner.paused) this.#deliver();
    else if (!this.#deliveryDue) {
      this.#deliveryDue = true;
      this.happen(DELIVER);
    }
  }

  /** The reader is in its turn, and may be a part of the same process. */
  writable(): void {
    if (this.#handOverDue) return;
    this.#handOverDue = true;
    this.#schedule(0, HAND_OVER);
  }

  /** A step is due: it is done now, or when the process goes on. */
  happen(step: number): void {
    if (!this.#owner.paused) this.#do(step as Step);
    else {
      this.#owner.whenRunning(() => {
        this.#do(step as Step);
      });
    }
  }

  #do(step: Step): void {
    const owner = this.#owner;
    switch (step) {
      case HAND_OVER:
        owner.run(this.#handOver);
        return;
      case DELIVER:
        this.#deliveryDue = false;
        this.#deliver();
        return;
      case TELL_SENT:
        owner.run(this.#tellSent);
        return;
      case TELL_CLOSED:
        owner.run(() => this.#handler?.closed(this.#error));
        return;
      case TELL_CONNECTED:
        if (this.#gone) return;
        owner.run(() => {
          this.#handler?.connected();
          this.#handOverSoon();
        });
        return;
      default:
        unreachable(step);
    }
  }

  #schedule(delayMs: number, step: Step): void {
    this.#scheduler.schedule(delayMs, this, step, this.#owner.lane);
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
    this.#error = error;
    this.#schedule(0, TELL_CLOSED);
  }

  /** At the end of the turn; what was sent outside a turn gets one. */
  #handOverSoon(): void {
    if (this.#handOverDue) return;
    this.#handOverDue = true;
    const { turns } = this.#owner;
    if (turns.running) turns.atEnd(this.#handOver);
    else this.#schedule(0, HAND_OVER);
  }

  /** Everything that was sent in a turn goes out at once, as far as there is room. */
  #handOverAll(): void {
    const outgoing = this.#outgoing;
    const { endpoint } = this;
    if (this.#gone || endpoint.state === 'connecting' || outgoing.length === 0) return;
    if (endpoint.state !== 'open') {
      this.#close(portError('ECONNRESET', 'the connection was reset by the peer'));
      return;
    }
    let count = 0;
    for (const chunk of outgoing) {
      const taken = endpoint.send(chunk);
      this.#sentBytes += taken;
      if (taken < chunk.length) {
        outgoing[count] = chunk.subarray(taken);
        break;
      }
      count++;
    }
    if (count === outgoing.length) this.#outgoing = [];
    else outgoing.splice(0, count);
    endpoint.flush();
    if (this.#sentBytes === this.#toldBytes) return;
    const { random } = this.#host;
    if (random.chance(1, LATE_ONE_IN)) this.#schedule(random.below(LATE_US) / 1000, TELL_SENT);
    else this.#tellSent();
  }

  /** Gives the handler all that can be read, then the end; one turn. A paused socket does not notice anything. */
  #deliver(): void {
    if (this.#gone) return;
    if (this.endpoint.state === 'refused') {
      this.#close(portError('ECONNREFUSED', `${this.remoteAddress} refused the connection`));
      return;
    }
    if (this.#canRead()) this.#owner.run(this.#fillAll);
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
