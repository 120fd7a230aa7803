/**
 * A connection on the addon's `PolledSocket`: what arrives is received where the handler wants it, and everything that was sent in
 * a turn goes out with one system call at its end. A net.Socket does the same with a copy of every byte, a stream object for
 * every chunk and a wake-up for every write.
 */
import { Socket as NetSocket } from 'node:net';
import { constants } from 'node:os';
import { assert } from '../core/base/assert.js';
import type { Turns } from '../core/base/turns.js';
import type { PortError } from '../core/ports/error.js';
import type { DetachedSocket, SocketHandler } from '../core/ports/network.js';
import { errnoError, READABLE, WRITABLE, type Addon, type PolledSocket } from './addon.js';
import { portErrorOf } from './errors.js';
import { NetworkSocket, type Ends, type Start } from './network-socket.js';
import { descriptorOf, takeBuffered } from './socket.js';

/** Received in one turn at most: others have something to do, too. */
const MAX_TURN_BYTES = 1 << 20;

export class DirectSocket extends NetworkSocket {
  readonly #addon: Addon;
  /** The connection before it is established. */
  #netSocket: NetSocket | null;
  /** Null: it is not established yet, or gone. */
  #polled: PolledSocket | null = null;
  readonly #outgoing: Uint8Array[] = [];
  /** Bytes of the first outgoing chunk that are sent already. */
  #skip = 0;
  #unsentBytes = 0;
  #sentBytes = 0;
  #handOverPending = false;
  /** The system has no room for more; it will tell. */
  #full = false;

  /** `handler` may follow with `attach`. */
  constructor(
    { turns, addon }: { readonly turns: Turns; readonly addon: Addon },
    netSocket: NetSocket,
    handler: SocketHandler | null,
    ends: Ends,
    start: Start,
  ) {
    super(turns, handler, ends, start);
    this.#addon = addon;
    this.#netSocket = netSocket;
    netSocket.on('error', (error) => {
      if (this.#netSocket !== null) this.#end(portErrorOf(error));
    });
    netSocket.on('close', () => {
      if (this.#netSocket !== null) this.#end(null);
    });
    if (start !== 'dialling') this.#takeOver();
  }

  establish(ends: Ends): void {
    this.ends = ends;
    this.#takeOver();
    if (this.gone) return;
    this.#readOn();
    this.turns.run(() => {
      this.handler?.connected();
      this.#handOver();
    });
  }

  send(chunks: readonly Uint8Array[]): void {
    if (this.gone) return;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#outgoing.push(chunk);
      this.#unsentBytes += chunk.length;
    }
    if (this.#handOverPending || this.#full) return;
    this.#handOverPending = true;
    this.turns.atEnd(this.#handOver);
  }

  pause(): void {
    this.paused = true;
    this.#watch();
  }

  resume(): void {
    if (!this.paused || this.gone) return;
    this.paused = false;
    this.#readOn();
  }

  detach(): DetachedSocket {
    const polled = this.#polled;
    assert(polled !== null, 'only an established connection can be given away');
    assert(this.#unsentBytes === 0, 'a socket is given away after everything was sent');
    this.gone = true;
    this.#polled = null;
    const handle = new NetSocket({ fd: polled.release(false) });
    return { handle, unread: takeBuffered(handle, this.unread) };
  }

  destroy(): void {
    this.#end(null);
  }

  fail(error: PortError): void {
    this.#end(error);
  }

  /** From now on the connection is the addon's. */
  #takeOver(): void {
    const netSocket = this.#netSocket;
    if (netSocket === null) return;
    this.unread = takeBuffered(netSocket, this.unread);
    try {
      this.#polled = new this.#addon.PolledSocket(descriptorOf(netSocket), this.#ready);
    } catch (error) {
      this.#end(portErrorOf(error));
      return;
    }
    this.#netSocket = null;
    netSocket.destroy();
  }

  #end(error: PortError | null): void {
    if (this.gone) return;
    this.gone = true;
    this.#netSocket?.destroy();
    this.#polled?.release(true);
    this.#netSocket = null;
    this.#polled = null;
    this.#outgoing.length = 0;
    process.nextTick(() => {
      this.turns.run(() => this.handler?.closed(error));
    });
  }

  #readOn(): void {
    if (this.unread.length === 0) this.#watch();
    else process.nextTick(this.#readUnread);
  }

  /** What an event loop has to look out for. */
  #watch(): void {
    const reads = !this.paused && this.unread.length === 0;
    this.#polled?.watch((reads ? READABLE : 0) | (this.#full ? WRITABLE : 0));
  }

  readonly #ready = (events: number): void => {
    this.turns.run(() => {
      if ((events & WRITABLE) !== 0 && this.#full) {
        this.#full = false;
        this.#handOver();
        this.#watch();
      }
      if ((events & READABLE) !== 0) this.#receive();
    });
  };

  #receive(): void {
    const handler = this.handler;
    let room = MAX_TURN_BYTES;
    while (handler !== null && this.#polled !== null && !this.paused && room > 0) {
      const target = handler.target();
      const bytes = this.#polled.receive(target);
      if (bytes <= 0) {
        this.#receivedNothing(bytes);
        return;
      }
      handler.filled(bytes);
      room -= bytes;
      if (bytes < target.length) return;
    }
  }

  /** `result`: 0, the peer will not send more (there is no half close in HAST), or the negative errno. */
  #receivedNothing(result: number): void {
    if (-result !== constants.errno.EAGAIN) this.#end(errnoError(-result));
  }

  /** What was received before comes first. */
  readonly #readUnread = (): void => {
    this.turns.run(this.deliverUnread);
    this.#watch();
  };

  readonly #handOver = (): void => {
    this.#handOverPending = false;
    if (this.#polled === null || this.#full || this.#unsentBytes === 0) return;
    const result = this.#polled.send(this.#outgoing, this.#skip);
    if (result < 0) {
      this.#end(errnoError(-result));
      return;
    }
    this.#took(result);
    if (this.#unsentBytes > 0) {
      this.#full = true;
      this.#watch();
    }
    if (result > 0) this.handler?.sent(this.#sentBytes);
  };

  /** The system has taken so many bytes. */
  #took(bytes: number): void {
    this.#sentBytes += bytes;
    this.#unsentBytes -= bytes;
    if (this.#unsentBytes === 0) {
      this.#outgoing.length = 0;
      this.#skip = 0;
      return;
    }
    let left = this.#skip + bytes;
    let count = 0;
    for (const chunk of this.#outgoing) {
      if (chunk.length > left) break;
      left -= chunk.length;
      count++;
    }
    this.#outgoing.splice(0, count);
    this.#skip = left;
  }
}
