/**
 * The listening socket of a primary's device. It belongs to the main daemon and not to the worker, so that it outlives
 * a worker that is restarted: clients that connect meanwhile are held, unread, until the next worker offers the device.
 */
import type { PortError } from '../ports/error.js';
import type { DetachedSocket, Listener, Network, Socket, SocketHandler } from '../ports/network.js';

/** More clients than that waiting for a dead worker are turned away. */
const MAX_HELD = 64;

/** Where the bytes of a held client would go; it is paused, so none come. */
const NOWHERE = new Uint8Array(1);

export class ExportListener {
  readonly #listener: Listener;
  readonly #held = new Set<Socket>();
  #attach: ((client: DetachedSocket) => void) | null = null;

  /** `failed` when the address cannot be listened on; not after `close`. */
  constructor(network: Network, address: string, failed: (error: PortError) => void) {
    this.#listener = network.listen(
      address,
      (socket) => this.#accept(socket),
      (error) => {
        if (error !== null) failed(error);
      },
    );
  }

  /** From now on clients, those that wait first, go to `attach`. */
  serve(attach: (client: DetachedSocket) => void): void {
    this.#attach = attach;
    const waiting = [...this.#held];
    this.#held.clear();
    for (const socket of waiting) attach(socket.detach());
  }

  /** From now on clients wait. */
  hold(): void {
    this.#attach = null;
  }

  /** Stops listening and drops the clients that wait. */
  close(): void {
    this.#listener.close();
    for (const socket of this.#held) socket.destroy();
    this.#held.clear();
  }

  #accept(socket: Socket): SocketHandler {
    const handler: SocketHandler = {
      connected: () => undefined,
      target: () => NOWHERE,
      filled: () => undefined,
      sent: () => undefined,
      closed: () => {
        this.#held.delete(socket);
      },
    };
    if (this.#attach !== null) this.#attach(socket.detach());
    else if (this.#held.size < MAX_HELD) this.#held.add(socket);
    else socket.destroy();
    return handler;
  }
}
