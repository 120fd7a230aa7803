/**
 * One NBD client: parses what arrives, queues what is answered. Bytes are received into one input buffer and
 * parsed in place; the payload of a long WRITE is received straight into the request's piece of the slab.
 *
 *   flags -> option ... option -> request <-> payload | discard -> leaving -> gone
 *
 * When slots or slab are used up the header stays in the input, the socket is paused and the connection waits for
 * its turn (`NbdDevice.reserve`). Nothing here is NBD-server-global: a protocol error costs this client only.
 */
import type { PortError } from '../../core/ports/error.js';
import type { Socket, SocketHandler } from '../../core/ports/network.js';
import type { RequestHeader } from './protocol.js';
import type { NbdDevice } from './server.js';
import type { NbdRequest } from './request.js';
import { assert, unreachable } from '../../core/base/assert.js';
import { viewOf } from '../../core/base/bytes.js';
import { Negotiation } from './negotiation.js';
import { payloadBytes, refusalOf } from './request.js';
import {
  CHUNK,
  CHUNK_BYTES,
  CLIENT_FLAGS_BYTES,
  COMMAND,
  DATA_CHUNK_BYTES,
  OPTION_BYTES,
  REQUEST_BYTES,
  SIMPLE_REPLY_BYTES,
  decodeOption,
  decodeRequest,
  encodeChunk,
  encodeDataChunk,
  encodeErrorChunk,
  encodeGreeting,
  encodeSimpleReply,
  errorNumber,
} from './protocol.js';

/** Also the longest option, header included; longer ones are not skipped but cost the connection. */
const INPUT_BYTES = 64 << 10;
/** Payloads from here on are received in place; copying shorter ones costs less than reading them apart. */
const DIRECT_BYTES = 16 << 10;

type Phase = 'flags' | 'option' | 'request' | 'payload' | 'discard' | 'leaving' | 'gone';

export class NbdConnection implements SocketHandler {
  /** Something moved since whoever watches for stalled clients set it to false. */
  hasMoved = true;
  readonly #device: NbdDevice;
  readonly #negotiation: Negotiation;
  #socket: Socket | null = null;
  #phase: Phase = 'flags';

  readonly #input = new Uint8Array(INPUT_BYTES);
  readonly #inputView = viewOf(this.#input);
  /** Received and not yet parsed: `#input` from start to end. */
  #start = 0;
  #end = 0;
  readonly #header: RequestHeader = { flags: 0, type: 0, cookieHigh: 0, cookieLow: 0, offset: 0, length: 0 };
  /** The WRITE whose payload is being received or thrown away, and how much of it is still to come. */
  #receiving: NbdRequest | null = null;
  #payloadLeft = 0;
  /** The last payload was long, so the next probably is: its header is read alone. */
  #expectsLong = false;

  /** Requests begun and not yet answered. */
  #unanswered = 0;
  #queuedBytes = 0;
  #sentBytes = 0;
  /** Answered requests whose replies are not out yet, oldest first. */
  #firstReply: NbdRequest | null = null;
  #lastReply: NbdRequest | null = null;

  constructor(device: NbdDevice) {
    this.#device = device;
    this.#negotiation = new Negotiation(device.geometry);
  }

  /** Greets the client. `socket` is paused, and nothing was read from it. */
  start(socket: Socket): void {
    this.#socket = socket;
    this.#send([encodeGreeting()]);
    socket.resume();
  }

  /** For the log. Clients of a Unix socket have no address. */
  get name(): string {
    const address = this.#socket?.remoteAddress ?? 'N/A';
    return address === 'N/A' ? 'NBD client' : `NBD client ${address}`;
  }

  /** The handshake goes on. */
  get isNegotiating(): boolean {
    return this.#phase === 'flags' || this.#phase === 'option';
  }

  /** Nobody can be answered any more. */
  get isGone(): boolean {
    return this.#phase === 'gone';
  }

  /** Holds slab that only the client itself can set free, by reading replies or sending the rest of a payload. */
  get holdsMemory(): boolean {
    return this.#firstReply !== null || this.#receiving !== null;
  }

  connected(): void {
    assert(false, 'an NBD server does not dial');
  }

  target(): Uint8Array {
    const receiving = this.#phase === 'payload' ? this.#receiving : null;
    if (receiving?.data && this.#payloadLeft >= DIRECT_BYTES) {
      return receiving.data.subarray(receiving.length - this.#payloadLeft);
    }
    if (this.#start > 0) {
      this.#input.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const headerOnly = this.#expectsLong && this.#phase === 'request' && this.#end < REQUEST_BYTES;
    return this.#input.subarray(this.#end, headerOnly ? REQUEST_BYTES : INPUT_BYTES);
  }

  filled(bytes: number): void {
    this.hasMoved = true;
    if (this.#phase === 'payload' && this.#payloadLeft >= DIRECT_BYTES) this.#received(bytes);
    else this.#end += bytes;
    this.#parse();
  }

  sent(totalBytes: number): void {
    this.hasMoved = true;
    this.#sentBytes = totalBytes;
    for (let reply = this.#firstReply; reply !== null && reply.replyEnd <= totalBytes;) {
      this.#firstReply = reply.nextReply;
      this.#device.release(reply);
      reply = this.#firstReply;
    }
    if (this.#firstReply === null) this.#lastReply = null;
    this.#leaveWhenDone();
  }

  closed(error: PortError | null): void {
    this.#phase = 'gone';
    if (this.#receiving !== null) this.#device.release(this.#receiving);
    this.#receiving = null;
    for (let reply = this.#firstReply; reply !== null;) {
      const next: NbdRequest | null = reply.nextReply;
      this.#device.release(reply);
      reply = next;
    }
    this.#firstReply = null;
    this.#lastReply = null;
    this.#device.disconnected(this, error);
  }

  /** There may be room again for the request this connection waits with. */
  retry(): void {
    this.#parse();
    if (this.#phase === 'gone' || this.#phase === 'leaving' || this.#device.isWaiting(this)) return;
    this.#socket?.resume();
  }

  /** Answers a request of this client, unless the client is gone. */
  answer(request: NbdRequest, error: PortError | null): void {
    this.#unanswered--;
    if (this.#phase === 'gone') {
      this.#device.release(request);
      return;
    }
    request.state = 'answered';
    this.#send(this.#encodeReply(request, error));
    request.replyEnd = this.#queuedBytes;
    request.nextReply = null;
    if (this.#lastReply === null) this.#firstReply = request;
    else this.#lastReply.nextReply = request;
    this.#lastReply = request;
    this.#leaveWhenDone();
  }

  /** No more requests: the connection closes when everything is answered and sent. */
  leave(): void {
    if (this.#phase === 'gone' || this.#phase === 'leaving') return;
    if (this.#receiving !== null) {
      this.#unanswered--;
      this.#device.release(this.#receiving);
      this.#receiving = null;
    }
    this.#phase = 'leaving';
    this.#socket?.pause();
    this.#leaveWhenDone();
  }

  /** Ends the connection at once; what the core still does for it completes into nothing. */
  drop(): void {
    this.#phase = 'gone';
    this.#socket?.destroy();
  }

  /** Ends the connection for something that the log should tell. */
  dropFor(why: string): false {
    this.#device.report(this, why);
    this.drop();
    return false;
  }

  #leaveWhenDone(): void {
    const isDone = this.#unanswered === 0 && this.#sentBytes === this.#queuedBytes;
    if (this.#phase === 'leaving' && isDone) this.drop();
  }

  #send(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#queuedBytes += chunk.length;
    this.#socket?.send(chunks);
  }

  #parse(): void {
    while (this.#step());
  }

  /** Parses one thing; false when more bytes, or room, must come first. */
  #step(): boolean {
    const available = this.#end - this.#start;
    switch (this.#phase) {
      case 'flags':
        return available >= CLIENT_FLAGS_BYTES && this.#takeClientFlags();
      case 'option':
        return available >= OPTION_BYTES && this.#takeOption(available);
      case 'request':
        return available >= REQUEST_BYTES && this.#takeRequest();
      case 'payload':
        return available > 0 && this.#takePayload(available);
      case 'discard':
        return available > 0 && this.#discardPayload(available);
      case 'leaving':
      case 'gone':
        return false;
      default:
        return unreachable(this.#phase);
    }
  }

  #takeClientFlags(): boolean {
    const flags = this.#inputView.getUint32(this.#start);
    this.#start += CLIENT_FLAGS_BYTES;
    if (!this.#negotiation.acceptClientFlags(flags)) {
      return this.dropFor(`its handshake flags 0x${flags.toString(16)} are not known`);
    }
    this.#phase = 'option';
    return true;
  }

  #takeOption(available: number): boolean {
    const header = decodeOption(this.#inputView, this.#start);
    if (header === null) return this.dropFor('it does not speak newstyle NBD');
    const total = OPTION_BYTES + header.length;
    if (total > INPUT_BYTES)
      return this.dropFor(`its option of ${header.length.toString()} bytes is too long`);
    if (available < total) return false;
    const answer = this.#negotiation.answer(
      header.option,
      this.#input.slice(this.#start + OPTION_BYTES, this.#start + total),
    );
    this.#start += total;
    if (answer.replies.length > 0) this.#send(answer.replies);
    if (answer.next === 'transmission') this.#phase = 'request';
    if (answer.next === 'end') this.leave();
    return true;
  }

  #takeRequest(): boolean {
    const header = this.#header;
    if (!decodeRequest(this.#inputView, this.#start, header)) return this.dropFor('it sent no NBD request');
    if (header.type === COMMAND.disconnect) {
      this.leave();
      return false;
    }
    const refusal = refusalOf(header, this.#device.geometry);
    const request = this.#device.reserve(this, refusal === null ? payloadBytes(header) : 0);
    if (request === null) {
      this.#socket?.pause();
      return false;
    }
    this.#start += REQUEST_BYTES;
    this.#unanswered++;
    request.begin(this, header, refusal);
    if (header.type === COMMAND.write && header.length > 0) {
      request.state = 'receiving';
      this.#receiving = request;
      this.#payloadLeft = header.length;
      this.#expectsLong = header.length >= DIRECT_BYTES;
      this.#phase = refusal === null ? 'payload' : 'discard';
    } else {
      this.#perform(request);
    }
    return true;
  }

  #takePayload(available: number): boolean {
    const request = this.#receiving;
    const data = request?.data ?? null;
    assert(request !== null && data !== null, 'a payload has a place');
    const bytes = Math.min(available, this.#payloadLeft);
    data.set(this.#input.subarray(this.#start, this.#start + bytes), request.length - this.#payloadLeft);
    this.#start += bytes;
    this.#received(bytes);
    return true;
  }

  #discardPayload(available: number): boolean {
    const bytes = Math.min(available, this.#payloadLeft);
    this.#start += bytes;
    this.#received(bytes);
    return true;
  }

  #received(bytes: number): void {
    const request = this.#receiving;
    assert(request !== null && bytes <= this.#payloadLeft, 'a payload is received for a request');
    this.#payloadLeft -= bytes;
    if (this.#payloadLeft > 0) return;
    this.#receiving = null;
    this.#phase = 'request';
    this.#perform(request);
  }

  #perform(request: NbdRequest): void {
    if (request.refusal !== null) this.answer(request, request.refusal);
    else if (request.length === 0 && request.command !== 'flush') this.answer(request, null);
    else this.#device.submit(request);
  }

  #encodeReply(request: NbdRequest, error: PortError | null): readonly Uint8Array[] {
    const { cookieHigh, cookieLow, reply, replyView } = request;
    const { structured } = this.#negotiation;
    if (error !== null && structured) {
      return [encodeErrorChunk(cookieHigh, cookieLow, errorNumber(error.code), error.message)];
    }
    if (structured && request.isRead) {
      if (request.length === 0) {
        encodeChunk(replyView, 0, CHUNK.none, cookieHigh, cookieLow, 0);
        return [reply.subarray(0, CHUNK_BYTES)];
      }
      encodeDataChunk(replyView, 0, cookieHigh, cookieLow, request.offset, request.length);
      return request.data === null ? [reply] : [reply.subarray(0, DATA_CHUNK_BYTES), request.data];
    }
    encodeSimpleReply(replyView, 0, error === null ? 0 : errorNumber(error.code), cookieHigh, cookieLow);
    const header = reply.subarray(0, SIMPLE_REPLY_BYTES);
    return error === null && request.isRead && request.data !== null ? [header, request.data] : [header];
  }
}
