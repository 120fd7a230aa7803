/**
 * A connection on which the main daemon takes one message and gives one answer: from a replication peer or from hastctl.
 * Whatever goes wrong in it, a bug of ours included, ends this connection and touches nothing else.
 */
import type { Clock, Timer } from '../ports/clock.js';
import type { PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import type { DetachedSocket, Socket, SocketHandler } from '../ports/network.js';
import { Connection } from '../wire/connection.js';
import { PROTOCOL_VERSION } from '../wire/frame.js';

export interface ConnectionUser {
  /** The message, valid during the call. Reading has stopped; what the peer sent beyond it is kept for `detach`. */
  received(version: number, list: Uint8Array): void;
  /** The peer went away, or sent what is no message. The connection is closed. */
  lost(error: PortError | null): void;
  /** `limit` passed. The connection is closed. */
  expired(): void;
  /** The connection is closed, for whatever reason; called once, last. */
  ended(): void;
}

/** Nobody reads what a broken connection still receives. */
const WASTE_BYTES = 4096;

export class ServedConnection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** What the network is given for this connection. */
  readonly handler: SocketHandler;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #user: ConnectionUser;
  readonly #connection: Connection;
  #deadline: Timer | null = null;
  #ended = false;

  constructor(clock: Clock, log: Log, socket: Socket, maxListBytes: number, user: ConnectionUser) {
    this.remoteAddress = socket.remoteAddress;
    this.localAddress = socket.localAddress;
    this.#clock = clock;
    this.#log = log;
    this.#user = user;
    this.#connection = new Connection(
      () => clock.now(),
      { maxVersion: PROTOCOL_VERSION, maxListBytes },
      {
        connected: () => undefined,
        listReceived: (version, list) => {
          this.#connection.pause();
          user.received(version, list);
          return null;
        },
        payloadReceived: () => undefined,
        lost: (error) => {
          user.lost(error);
          this.#end();
        },
      },
    );
    this.#connection.bind(socket);
    this.handler = this.#guardHandler(this.#connection);
  }

  get open(): boolean {
    return !this.#ended;
  }

  /** Starts reading. */
  read(): void {
    if (!this.#ended) this.#connection.resume();
  }

  /** Closes the connection `limitMs` from now, unless another limit is set before. Null: no limit. */
  limit(limitMs: number | null): void {
    this.#deadline?.cancel();
    this.#deadline = null;
    if (limitMs === null || this.#ended) return;
    this.#deadline = this.#clock.after(
      limitMs,
      this.guard(() => {
        this.#user.expired();
        this.close();
      }),
    );
  }

  send(frame: Uint8Array): void {
    this.#connection.send([frame]);
  }

  /** Calls `callback` when the system has everything that was sent, maybe at once; never when the connection ends before. */
  whenSent(callback: () => void): void {
    if (this.#connection.unsentBytes === 0) callback();
    else this.#connection.send([], { messageSent: this.guard(callback) });
  }

  /** Sends the last message; closes when the system has it all. */
  sendLast(frame: Uint8Array): void {
    this.#connection.send([frame], {
      messageSent: () => {
        this.close();
      },
    });
  }

  close(): void {
    this.#connection.close();
    this.#end();
  }

  /** Gives the socket away, with every byte that came after the message. `ended` is called. */
  detach(): DetachedSocket {
    const detached = this.#connection.detach();
    this.#end();
    return detached;
  }

  /** `callback` for timers and ports: does nothing once the connection has ended; a bug in it ends the connection. */
  guard<Values extends unknown[]>(callback: (...values: Values) => void): (...values: Values) => void {
    return (...values) => {
      if (this.#ended) return;
      try {
        callback(...values);
      } catch (bug) {
        this.#broken(bug);
      }
    };
  }

  #guardHandler(handler: SocketHandler): SocketHandler {
    return {
      connected: () => undefined,
      target: () => (this.#ended ? new Uint8Array(WASTE_BYTES) : handler.target()),
      filled: this.guard((bytes) => {
        handler.filled(bytes);
      }),
      sent: this.guard((totalBytes) => {
        handler.sent(totalBytes);
      }),
      closed: this.guard((error) => {
        handler.closed(error);
      }),
    };
  }

  #broken(bug: unknown): void {
    const text = bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
    this.#log.write(
      'error',
      `Internal error while serving ${this.remoteAddress}, connection closed: ${text}`,
    );
    this.close();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline?.cancel();
    this.#deadline = null;
    this.#user.ended();
  }
}
