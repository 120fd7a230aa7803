/**
 * The network of the main daemon, with one promise more: a bug in a handler, whatever made a peer find it, costs that
 * connection and nothing else. Workers abort on bugs instead, because they can be started again.
 */
import type { PortError } from '../../core/ports/error.js';
import type { Log } from '../../core/ports/log.js';
import { NOBODY } from '../../native/nobody.js';
import type { DetachedSocket, Listener, Network, Socket, SocketHandler } from '../../core/ports/network.js';

export class GuardedNetwork implements Network {
  readonly #network: Network;
  readonly #log: Log;

  constructor(network: Network, log: Log) {
    this.#network = network;
    this.#log = log;
  }

  dial(remote: string, source: string | null, handler: SocketHandler): Socket {
    const guard = new Guard(handler, this.#log);
    return guard.watch(this.#network.dial(remote, source, guard));
  }

  listen(
    address: string,
    accept: (socket: Socket) => SocketHandler,
    done: (error: PortError | null) => void,
  ): Listener {
    const guarded = (socket: Socket): SocketHandler => {
      try {
        const guard = new Guard(accept(socket), this.#log);
        guard.watch(socket);
        return guard;
      } catch (error) {
        report(this.#log, error);
        // Whoever is handed no handler cannot be told; the guard of nobody drops the connection at its first event.
        const guard = new Guard(NOBODY, this.#log);
        guard.watch(socket).destroy();
        return guard;
      }
    };
    return this.#network.listen(address, guarded, done);
  }

  adopt(detached: DetachedSocket, handler: SocketHandler): Socket {
    const guard = new Guard(handler, this.#log);
    return guard.watch(this.#network.adopt(detached, guard));
  }

  resolve(address: string, done: (error: PortError | null, addresses: readonly string[]) => void): void {
    this.#network.resolve(address, done);
  }
}

class Guard implements SocketHandler {
  readonly #log: Log;
  #handler: SocketHandler;
  #socket: Socket | null = null;

  constructor(handler: SocketHandler, log: Log) {
    this.#handler = handler;
    this.#log = log;
  }

  watch(socket: Socket): Socket {
    this.#socket = socket;
    return socket;
  }

  connected(): void {
    this.#attempt(() => {
      this.#handler.connected();
    });
  }

  target(): Uint8Array {
    try {
      return this.#handler.target();
    } catch (error) {
      this.#failed(error);
      return NOBODY.target();
    }
  }

  filled(bytes: number): void {
    this.#attempt(() => {
      this.#handler.filled(bytes);
    });
  }

  sent(totalBytes: number): void {
    this.#attempt(() => {
      this.#handler.sent(totalBytes);
    });
  }

  closed(error: PortError | null): void {
    this.#attempt(() => {
      this.#handler.closed(error);
    });
  }

  #attempt(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    report(this.#log, error);
    this.#socket?.destroy();
  }
}

function report(log: Log, error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.write('crit', `Bug, closing the connection: ${what}`);
}
