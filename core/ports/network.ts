import type { PortError } from './error.js';

/**
 * Stream sockets. Addresses are hast.conf's (core/spec/config.md section 3): `tcp4://host:port`, `uds://path`, ...
 */
export interface Network {
  /** Starts connecting, from `source` if not null. Failure, a bad address too, arrives as `closed(error)`. */
  dial(remote: string, source: string | null, handler: SocketHandler): Socket;
  /**
   * Binds and listens. `done` tells the outcome; `accept` is called for each connection with a paused socket
   * and returns its handler; nothing is delivered before `resume()`. Neither is called after the listener's `close`.
   * `accept` may detach or destroy the socket at once. A Unix socket whose server is gone is replaced; anything
   * else at its path is an error. Only our own user and root can connect to a Unix socket.
   */
  listen(
    address: string,
    accept: (socket: Socket) => SocketHandler,
    done: (error: PortError | null) => void,
  ): Listener;
  /**
   * Takes over a socket detached in another process (or in this one). It starts paused; what it sends is counted
   * from 0.
   */
  adopt(detached: DetachedSocket, handler: SocketHandler): Socket;
  /** The IP addresses that `address` (a hast.conf address) stands for, as text; Unix sockets give none. */
  resolve(address: string, done: (error: PortError | null, addresses: readonly string[]) => void): void;
}

export interface Listener {
  readonly address: string;
  /** Stops listening at once and removes a Unix socket's path. */
  close(): void;
}

export interface Socket {
  /** `tcp://ip:port`, `tcp://[ip6]:port`, `uds://path`, or `N/A` while unknown. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** User id of whoever connected to our Unix socket, as of that moment; null elsewhere, and where the system cannot tell. */
  readonly peerUid: number | null;
  /** Queues bytes; the chunks are lent until `sent` has counted past them. Ignored once closed. */
  send(chunks: readonly Uint8Array[]): void;
  /** After this returns neither `target` nor `filled` is called until `resume`. */
  pause(): void;
  resume(): void;
  /**
   * Gives the connection away: the handle and every byte read but not delivered. No callback follows. `sent` must
   * have counted everything that was sent.
   */
  detach(): DetachedSocket;
  /** Drops the connection; only `closed(null)` follows, exactly once. */
  destroy(): void;
}

/** A connection in transit to another process. `handle` is the adapter's business. */
export interface DetachedSocket {
  readonly handle: unknown;
  /** Bytes that were received and that the receiver of the handle must see first. */
  readonly unread: Uint8Array;
}

export interface SocketHandler {
  /** A dialled connection is established. Not called for accepted or adopted sockets. */
  connected(): void;
  /** Where the next bytes go; at least one byte long. Asked again before every `filled`. */
  target(): Uint8Array;
  /** `bytes` bytes were placed at the start of the last target. */
  filled(bytes: number): void;
  /** In all `totalBytes` given to `send` were handed to the system and their buffers are free again. */
  sent(totalBytes: number): void;
  /** The connection is gone: EOF or `destroy` (null), or an error. Nothing follows. */
  closed(error: PortError | null): void;
}
