/** A TCP connection of a scripted peer: sends bytes as it is told, and keeps the messages that come in. */
import type { Socket, SocketHandler } from '../../../core/ports/network.js';
import { HEADER_BYTES } from '../../../core/wire/frame.js';
import type { SimSocket } from '../../../sim/socket.js';
import { listBytesOf, parseMessage, type Message } from './message.js';

const BUFFER_BYTES = 65_536;

export class ScriptedConnection implements SocketHandler {
  /** What came in and was not taken yet, the oldest first. */
  readonly received: Message[] = [];
  /** The other side has closed, or the connection was never made. */
  ended = false;
  #socket: SimSocket | null = null;
  readonly #target = new Uint8Array(BUFFER_BYTES);
  #unparsed = new Uint8Array(0);
  #queuedBytes = 0;
  #sentBytes = 0;
  /** We have ended our stream. */
  finishing = false;

  /** Right after it was dialled or accepted. */
  bind(socket: Socket): void {
    this.#socket = socket as SimSocket;
  }

  send(chunks: readonly Uint8Array[]): void {
    for (const { length } of chunks) this.#queuedBytes += length;
    this.#socket?.send(chunks);
  }

  /** Ends our stream; the other side's goes on. */
  finish(): void {
    this.finishing = true;
    if (this.#sentBytes === this.#queuedBytes) this.#socket?.endpoint.finish();
  }

  close(): void {
    this.#socket?.destroy();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Takes the first message of which `wanted` is true. */
  take(wanted: (message: Message) => boolean): Message | null {
    const index = this.received.findIndex(wanted);
    return index === -1 ? null : (this.received.splice(index, 1)[0] ?? null);
  }

  connected(): void {
    // What was sent until now leaves by itself.
  }

  target(): Uint8Array {
    return this.#target;
  }

  filled(bytes: number): void {
    const all = new Uint8Array(this.#unparsed.length + bytes);
    all.set(this.#unparsed);
    all.set(this.#target.subarray(0, bytes), this.#unparsed.length);
    this.#unparsed = all;
    while (this.#parse());
  }

  sent(totalBytes: number): void {
    this.#sentBytes = totalBytes;
    if (this.finishing) this.finish();
  }

  closed(): void {
    this.ended = true;
  }

  #parse(): boolean {
    const bytes = this.#unparsed;
    if (bytes.length < HEADER_BYTES) return false;
    const frameBytes = HEADER_BYTES + listBytesOf(bytes);
    if (bytes.length < frameBytes) return false;
    const frame = bytes.slice(0, frameBytes);
    const size = parseMessage(frame, bytes).list?.number('size', 'uint32') ?? 0;
    if (bytes.length < frameBytes + size) return false;
    this.received.push(parseMessage(frame, bytes.slice(frameBytes, frameBytes + size)));
    this.#unparsed = bytes.slice(frameBytes + size);
    return true;
  }
}
