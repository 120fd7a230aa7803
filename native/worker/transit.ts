/**
 * Sockets on their way to a worker process. Node closes our copy when the worker acknowledges a socket; when the
 * worker dies before that, Node (20 to 24) forgets the copy, and the peer waits for ever on an open connection. So
 * the copies are remembered here until they are closed.
 */
import type { Socket as NetSocket } from 'node:net';
import type { DetachedSocket } from '../../core/ports/network.js';

/** Node's internal handle of a socket. */
interface NodeHandle {
  /** Negative once it is closed. */
  readonly fd: number;
  close(): void;
}

export class SocketsInTransit {
  readonly #copies = new Set<NodeHandle>();

  /** Before `socket` is sent: afterwards it has no handle any more. */
  add(socket: DetachedSocket): void {
    for (const copy of this.#copies) if (copy.fd < 0) this.#copies.delete(copy);
    const { _handle: handle } = socket.handle as NetSocket & { readonly _handle: NodeHandle | null };
    if (handle !== null) this.#copies.add(handle);
  }

  /** The worker is gone: what has not arrived is closed. */
  drop(): void {
    for (const copy of this.#copies) copy.close();
    this.#copies.clear();
  }
}
