/**
 * The listening socket of a primary's device. It belongs to the main daemon and not to the worker, so that it outlives
 * a worker that is restarted: clients that connect meanwhile are held, unread, until the next worker offers the device.
 */
import type { PortError } from '../ports/error.js';
import type { DetachedSocket, Listener, Socket, SocketHandler } from '../ports/network.js';
import type { DaemonPorts } from './ports.js';

/** More clients than that waiting for a dead worker are turned away. */
const MAX_HELD = 64;

/** Where the bytes of a held client would go; it is paused, so none come. */
const NOWHERE = new Uint8Array(1);

export class ExportListener {
  readonly #ports: DaemonPorts;
  readonly #listener: Listener;
  readonly #held = new Set<Socket>();
  #attach: ((client: DetachedSocket) => void) | null = null;
  #handOverAtEnd = false;
  #closed = false;

  /** `failed` when the address cannot be listened on; not after `close`. */
  constructor(ports: DaemonPorts, address: string, failed: (error: PortError) => void) {
    this.#ports = ports;
    this.#listener = ports.network.listen(
      address,
      (socket) => this.#accept(socket),
      (error) => {
        if (error !== null && !this.#closed) failed(error);
      },
    );
  }

  /** From now on clients, those that wait first, go to `attach`. */
  serve(attach: (client: DetachedSocket) => void): void {
    this.#attach = attach;
    this.#handOver();
  }

  /** From now on clients wait. */
  hold(): void {
    this.#attach = null;
  }

  /** Stops listening and drops the clients that wait. */
  close(): void {
    this.#closed = true;
    this.#attach = null;
    this.#listener.close();
    for (const socket of this.#held) socket.destroy();
    this.#held.clear();
  }

  #accept(socket: Socket): SocketHandler {
    this.#held.add(socket);
    // The network learns our handler when this call returns; only then can the socket be given away.
    if (!this.#handOverAtEnd) {
      this.#handOverAtEnd = true;
      this.#ports.turns.atEnd(() => {
        this.#handOverAtEnd = false;
        this.#handOver();
      });
    }
    return {
      connected: () => undefined,
      target: () => NOWHERE,
      filled: () => undefined,
      sent: () => undefined,
      closed: () => {
        this.#held.delete(socket);
      },
    };
  }

  #handOver(): void {
    const attach = this.#attach;
    for (const socket of this.#held) {
      if (attach !== null) {
        this.#held.delete(socket);
        attach(socket.detach());
      } else if (this.#closed || this.#held.size > MAX_HELD) {
        this.#held.delete(socket);
        socket.destroy();
      }
    }
  }
}
