import type { PortError } from '../ports/error.js';
import type { DetachedSocket, Socket, SocketHandler } from '../ports/network.js';
import { MessageReader, type Following } from './reader.js';

/** What a connection's current owner hears. Owners change: dialler or acceptor first, then the session. */
export interface ConnectionSink {
  connected(): void;
  listReceived(version: number, list: Uint8Array): Following;
  payloadReceived(): void;
  /** Gone: EOF (null), error, or bytes that are no HAST stream (EPROTO). Called once; the socket is closed. */
  lost(error: PortError | null): void;
}

/** Told when everything queued up to its message was handed to the system: lent buffers are free again. */
export interface SentListener {
  messageSent(): void;
}

/** One TCP connection of a HAST session: a socket, its message reader, and the accounting of what was sent. */
export class Connection implements SocketHandler {
  readonly #now: () => number;
  readonly #reader: MessageReader;
  #socket: Socket | null = null;
  #sink: ConnectionSink;
  #open = true;
  #queuedBytes = 0;
  #sentBytes = 0;
  #waiting: { mark: number; listener: SentListener }[] = [];
  /** When bytes last came in, and when the send queue last moved or was empty (ms of the clock). */
  lastReceivedAt: number;
  lastSentAt: number;

  constructor(now: () => number, limits: { maxVersion: number; maxListBytes: number }, sink: ConnectionSink) {
    this.#now = now;
    this.#sink = sink;
    this.lastReceivedAt = this.lastSentAt = now();
    this.#reader = new MessageReader(limits, {
      listReceived: (version, list) => this.#sink.listReceived(version, list),
      payloadReceived: () => {
        this.#sink.payloadReceived();
      },
      violated: (reason) => {
        this.#lose({ code: 'EPROTO', message: reason });
      },
    });
  }

  /** Set once, right after the socket was dialled, accepted or adopted. */
  bind(socket: Socket): void {
    this.#socket = socket;
  }

  get open(): boolean {
    return this.#open;
  }

  get remoteAddress(): string {
    return this.#socket?.remoteAddress ?? 'N/A';
  }

  get localAddress(): string {
    return this.#socket?.localAddress ?? 'N/A';
  }

  /** Bytes given to `send` that the system has not taken yet. */
  get unsentBytes(): number {
    return this.#queuedBytes - this.#sentBytes;
  }

  /** Another owner from now on. */
  handTo(sink: ConnectionSink): void {
    this.#sink = sink;
  }

  /** Queues a message; `listener` hears when its buffers are free. Nothing is sent once the connection is lost. */
  send(chunks: readonly Uint8Array[], listener: SentListener | null = null): void {
    if (!this.#open) return;
    if (this.unsentBytes === 0) this.lastSentAt = this.#now();
    for (const chunk of chunks) this.#queuedBytes += chunk.length;
    if (listener !== null) this.#waiting.push({ mark: this.#queuedBytes, listener });
    this.#socket?.send(chunks);
  }

  /** Stops delivering messages, and reading, until `resume`. */
  pause(): void {
    this.#reader.hold();
    if (this.#open) this.#socket?.pause();
  }

  resume(): void {
    // Nothing could come in until now.
    this.lastReceivedAt = this.#now();
    this.#reader.release();
    if (this.#open) this.#socket?.resume();
  }

  /** Gives the socket away with every byte not yet delivered. */
  detach(): DetachedSocket {
    this.#open = false;
    const detached = this.#socket?.detach();
    const read = this.#reader.takeUnread();
    const unread = new Uint8Array(read.length + (detached?.unread.length ?? 0));
    unread.set(read);
    if (detached !== undefined) unread.set(detached.unread, read.length);
    return { handle: detached?.handle, unread };
  }

  /** Drops the connection; `lost` is not called. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#waiting = [];
    this.#reader.hold();
    this.#socket?.destroy();
  }

  connected(): void {
    if (this.#open) this.#sink.connected();
  }

  target(): Uint8Array {
    return this.#reader.target();
  }

  filled(bytes: number): void {
    if (!this.#open) return;
    this.lastReceivedAt = this.#now();
    this.#reader.filled(bytes);
  }

  sent(totalBytes: number): void {
    this.#sentBytes = totalBytes;
    this.lastSentAt = this.#now();
    let done = 0;
    for (const { mark } of this.#waiting) {
      if (mark > totalBytes) break;
      done++;
    }
    if (done > 0) for (const { listener } of this.#waiting.splice(0, done)) listener.messageSent();
  }

  closed(error: PortError | null): void {
    this.#lose(error);
  }

  #lose(error: PortError | null): void {
    if (!this.#open) return;
    this.close();
    this.#sink.lost(error);
  }
}
