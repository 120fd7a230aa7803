/**
 * A connection on net.Socket. What is sent in a turn goes out with one writev(2) at its end; received bytes are copied
 * to where the handler wants them. A socket can be given to another process without losing a byte, which plain Node
 * does not offer: see `detach`.
 */
import type { Socket as NetSocket } from 'node:net';
import { assert } from '../core/base/assert.js';
import type { Turns } from '../core/base/turns.js';
import type { PortError } from '../core/ports/error.js';
import type { DetachedSocket, SocketHandler } from '../core/ports/network.js';
import { portErrorOf } from './errors.js';
import { NetworkSocket, type Ends, type Start } from './network-socket.js';

/** The part of Node's internal handle that says whether the event loop reads from the descriptor. */
interface ReadHandle {
  readonly fd: number;
  reading: boolean;
  readStart(): number;
  readStop(): number;
}

/**
 * Given to the system at once. `sent` tells of progress in steps of this size, so it is small enough for a slow link to
 * make one well within the shortest timeout.
 */
const MAX_BATCH = 256 * 1024;
const NOTHING = new Uint8Array(0);

export class NodeSocket extends NetworkSocket {
  readonly #socket: NetSocket;
  #established: boolean;
  /** Reading has begun; an accepted or adopted socket waits for `resume`. */
  #started: boolean;
  /** Why the connection ends; null for its regular end. */
  #error: PortError | null = null;
  #outgoing: Uint8Array[] = [];
  #handOverPending = false;
  #writing = false;
  #sentBytes = 0;

  constructor(turns: Turns, socket: NetSocket, handler: SocketHandler | null, ends: Ends, start: Start) {
    super(turns, handler, ends, start);
    this.#socket = socket;
    this.#established = start !== 'dialling';
    this.#started = start === 'dialling';
    if (this.paused) socket.pause();
    socket.on('data', this.#received);
    socket.on('end', this.#ended);
    socket.on('error', this.#failed);
    socket.on('close', this.#closed);
  }

  establish(ends: Ends): void {
    this.ends = ends;
    this.#established = true;
    this.turns.run(() => this.handler?.connected());
    this.#handOver();
  }

  send(chunks: readonly Uint8Array[]): void {
    if (this.gone) return;
    for (const chunk of chunks) if (chunk.length > 0) this.#outgoing.push(chunk);
    if (this.#handOverPending) return;
    this.#handOverPending = true;
    this.turns.atEnd(() => {
      this.#handOverPending = false;
      this.#handOver();
    });
  }

  pause(): void {
    this.paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.paused || this.gone) return;
    this.paused = false;
    process.nextTick(() => {
      this.#goOn();
    });
  }

  /**
   * Between a pause and the moment a socket is sent to another process, Node goes on reading into its own buffer, and
   * what it read is lost. So the handle is stopped first, everything read before is collected, and nothing can
   * be read later in this process.
   */
  detach(): DetachedSocket {
    assert(!this.gone, 'a closed socket cannot be given away');
    assert(this.#outgoing.length === 0 && !this.#writing, 'a socket is given away after everything was sent');
    this.gone = true;
    const socket = this.#socket;
    socket.off('data', this.#received).off('end', this.#ended).off('close', this.#closed);
    socket.off('error', this.#failed).on('error', ignore);
    socket.pause();
    return { handle: socket, unread: takeBuffered(socket, this.unread) };
  }

  destroy(): void {
    if (this.gone) return;
    this.gone = true;
    this.#socket.destroy();
  }

  fail(error: PortError): void {
    if (this.gone) return;
    this.#error = error;
    this.destroy();
  }

  /** Hands over what the turn has sent, one batch at a time. */
  #handOver(): void {
    if (!this.#established || this.gone || this.#writing || this.#outgoing.length === 0) return;
    const batch = this.#takeBatch();
    const last = batch.pop() ?? NOTHING;
    let bytes = last.length;
    this.#writing = true;
    this.#socket.cork();
    for (const chunk of batch) {
      bytes += chunk.length;
      this.#socket.write(chunk);
    }
    this.#socket.write(last, (error) => {
      this.#writing = false;
      if (this.gone || error) return;
      this.#sentBytes += bytes;
      this.turns.run(() => this.handler?.sent(this.#sentBytes));
      this.#handOver();
    });
    this.#socket.uncork();
  }

  #takeBatch(): Uint8Array[] {
    let room = MAX_BATCH;
    let count = 0;
    for (const chunk of this.#outgoing) {
      if (chunk.length > room) break;
      room -= chunk.length;
      count++;
    }
    const batch = this.#outgoing.splice(0, count);
    const next = this.#outgoing[0];
    if (next === undefined || room === 0) return batch;
    batch.push(next.subarray(0, room));
    this.#outgoing[0] = next.subarray(room);
    return batch;
  }

  /** After a resume: first what was received before the pause. */
  #goOn(): void {
    if (this.paused || this.gone) return;
    if (this.unread.length > 0) this.turns.run(this.deliverUnread);
    if (this.paused || this.gone) return;
    this.#socket.resume();
    if (!this.#started) startReading(this.#socket);
    this.#started = true;
  }

  readonly #received = (bytes: Uint8Array): void => {
    this.unread = this.unread.length === 0 ? bytes : Buffer.concat([this.unread, bytes]);
    if (!this.paused && !this.gone) this.turns.run(this.deliverUnread);
  };

  /** The peer will not send more. There is no half close in HAST. */
  readonly #ended = (): void => {
    this.#socket.destroy();
  };

  readonly #failed = (error: Error): void => {
    this.#error ??= portErrorOf(error);
  };

  readonly #closed = (): void => {
    this.gone = true;
    this.#outgoing = [];
    this.turns.run(() => this.handler?.closed(this.#error));
  };
}

function ignore(): void {
  // An error between two owners shows again when the next one uses the socket.
}

/** Stops the stream for good. Returns `unread` and what it has in its buffer, in new memory. */
export function takeBuffered(socket: NetSocket, unread: Uint8Array): Uint8Array {
  const parts = [unread];
  for (let part = readBuffered(socket); part !== null; part = readBuffered(socket)) parts.push(part);
  stopReading(socket);
  return new Uint8Array(Buffer.concat(parts));
}

/** What the stream has in its buffer; null when that is empty. */
function readBuffered(socket: NetSocket): Uint8Array | null {
  return socket.readableLength > 0 ? (socket.read() as Uint8Array | null) : null;
}

function handleOf(socket: NetSocket): ReadHandle | null {
  return (socket as unknown as { readonly _handle: ReadHandle | null })._handle;
}

/** -1: the socket is closed. */
export function descriptorOf(socket: NetSocket): number {
  return handleOf(socket)?.fd ?? -1;
}

/**
 * Stops for good: a stream looks for more in its next tick, and starts its handle again unless that claims to be reading.
 */
function stopReading(socket: NetSocket): void {
  const handle = handleOf(socket);
  if (handle === null) return;
  handle.reading = true;
  handle.readStop();
}

/** The stream of an adopted socket may believe that its stopped handle is reading. */
function startReading(socket: NetSocket): void {
  const handle = handleOf(socket);
  if (handle === null) return;
  handle.reading = true;
  handle.readStart();
}
