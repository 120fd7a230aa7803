import { assert } from '../base/assert.js';
import { uint32At } from '../base/bytes.js';
import { newBuffer } from '../base/slab.js';
import { HEADER_BYTES } from './frame.js';

/** Where the bytes after an nv list go: nowhere (no payload), into a buffer of exactly its length, or dropped. */
export type Following = Uint8Array | { readonly skip: number } | null;

export interface MessageSink {
  /** A whole nv list arrived; `list` is valid only during the call. Answers what follows it. */
  listReceived(version: number, list: Uint8Array): Following;
  /** The payload that `listReceived` asked for is complete (skipped bytes included). */
  payloadReceived(): void;
  /** The stream cannot be a HAST stream; nothing more is delivered. */
  violated(reason: string): void;
}

/** The scratch area begins small, since most connections say little, and grows with what comes in at once. */
const FIRST_SCRATCH_BYTES = 1024;
const USUAL_SCRATCH_BYTES = 65_536;
/** After a payload as long as this the next one probably is, too: only its message is taken here, the rest goes straight into it. */
const LONG_PAYLOAD_BYTES = 16_384;
const LONE_MESSAGE_BYTES = 512;

const NO_BYTES = new Uint8Array(0);

/**
 * Cuts one direction of a HAST connection into messages (core/spec/wire.md section 2), however the stream is
 * fragmented. Bytes land either in a scratch area, where headers and lists are parsed in place, or straight in
 * the buffer of the payload being received. Nothing that was not received in full is ever delivered (W22, I23),
 * and nothing is allocated beyond `maxListBytes` on a peer's word.
 */
export class MessageReader {
  readonly #maxVersion: number;
  readonly #maxListBytes: number;
  readonly #sink: MessageSink;
  #scratch: Uint8Array = NO_BYTES;
  /** The last bytes filled it. */
  #isTight = false;
  #start = 0;
  #end = 0;
  #payload: Uint8Array | null = null;
  #payloadFilled = 0;
  #expectsLong = false;
  #skipping = 0;
  #held = false;
  #failed = false;
  #parsing = false;

  constructor(limits: { maxVersion: number; maxListBytes: number }, sink: MessageSink) {
    this.#maxVersion = limits.maxVersion;
    this.#maxListBytes = limits.maxListBytes;
    this.#sink = sink;
  }

  /** Where the next received bytes go. */
  target(): Uint8Array {
    const payload = this.#unfilledPayload;
    if (payload !== null) return payload.subarray(this.#payloadFilled);
    if (this.#isTight || this.#end === this.#scratch.length) this.#makeRoom(this.#buffered + HEADER_BYTES);
    return this.#expectsLong
      ? this.#scratch.subarray(this.#end, this.#end + LONE_MESSAGE_BYTES)
      : this.#scratch.subarray(this.#end);
  }

  /** `bytes` bytes were placed at the start of the last target. */
  filled(bytes: number): void {
    if (this.#failed) return;
    const payload = this.#unfilledPayload;
    if (payload !== null) {
      this.#payloadFilled += bytes;
      assert(this.#payloadFilled <= payload.length, 'more bytes than the target holds');
    } else {
      this.#end += bytes;
      this.#isTight = this.#end === this.#scratch.length && this.#end < USUAL_SCRATCH_BYTES;
    }
    this.#parse();
  }

  /** No message is delivered until `release`; bytes may still arrive and are kept. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#parse();
  }

  /** Gives up the bytes not yet delivered, for another process. Only between messages. */
  takeUnread(): Uint8Array {
    assert(this.#payload === null && this.#skipping === 0, 'handed over in the middle of a payload');
    const unread = this.#scratch.slice(this.#start, this.#end);
    this.#start = this.#end = 0;
    return unread;
  }

  /** The payload that the next bytes go straight into. A full one waits to be delivered while the reader is held. */
  get #unfilledPayload(): Uint8Array | null {
    if (this.#buffered > 0 || this.#payload === null) return null;
    return this.#payloadFilled < this.#payload.length ? this.#payload : null;
  }

  get #buffered(): number {
    return this.#end - this.#start;
  }

  #parse(): void {
    if (this.#parsing) return;
    this.#parsing = true;
    while (!this.#failed && !this.#held && this.#step());
    this.#parsing = false;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  /** Delivers at most one thing; false when more bytes are needed. */
  #step(): boolean {
    if (this.#skipping > 0) return this.#skip();
    if (this.#payload !== null) return this.#fillPayload(this.#payload);
    if (this.#buffered < HEADER_BYTES) return false;
    const version = this.#scratch[this.#start] ?? 0;
    const listBytes = uint32At(this.#scratch, this.#start + 1);
    if (version > this.#maxVersion) return this.#fail(`protocol version ${String(version)} is not supported`);
    if (listBytes > this.#maxListBytes) {
      return this.#fail(`message of ${String(listBytes)} bytes exceeds ${String(this.#maxListBytes)}`);
    }
    const total = HEADER_BYTES + listBytes;
    if (this.#buffered < total) {
      if (this.#start + total > this.#scratch.length) this.#makeRoom(total);
      return false;
    }
    const list = this.#scratch.subarray(this.#start + HEADER_BYTES, this.#start + total);
    this.#start += total;
    this.#follow(this.#sink.listReceived(version, list));
    return true;
  }

  #follow(following: Following): void {
    if (following === null) return;
    if (following instanceof Uint8Array) {
      if (following.length === 0) {
        this.#sink.payloadReceived();
        return;
      }
      this.#payload = following;
      this.#payloadFilled = 0;
      this.#expectsLong = following.length >= LONG_PAYLOAD_BYTES;
    } else {
      this.#skipping = following.skip;
      if (this.#skipping === 0) this.#sink.payloadReceived();
    }
  }

  #skip(): boolean {
    const dropped = Math.min(this.#skipping, this.#buffered);
    this.#start += dropped;
    this.#skipping -= dropped;
    if (this.#skipping > 0) {
      this.#start = this.#end = 0;
      return false;
    }
    this.#sink.payloadReceived();
    return true;
  }

  #fillPayload(payload: Uint8Array): boolean {
    const wanted = payload.length - this.#payloadFilled;
    const part = this.#scratch.subarray(this.#start, this.#start + Math.min(wanted, this.#buffered));
    payload.set(part, this.#payloadFilled);
    this.#start += part.length;
    this.#payloadFilled += part.length;
    if (this.#payloadFilled < payload.length) {
      this.#start = this.#end = 0;
      return false;
    }
    this.#payload = null;
    this.#sink.payloadReceived();
    return true;
  }

  #fail(reason: string): boolean {
    this.#failed = true;
    this.#sink.violated(reason);
    return false;
  }

  /** Makes the scratch hold at least `bytes` from where the unread bytes start. */
  #makeRoom(bytes: number): void {
    if (this.#isTight || bytes > this.#scratch.length) {
      this.#isTight = false;
      const grown = newBuffer(Math.max(bytes, this.#scratch.length * 2, FIRST_SCRATCH_BYTES));
      grown.set(this.#scratch.subarray(this.#start, this.#end));
      this.#scratch = grown;
    } else {
      this.#scratch.copyWithin(0, this.#start, this.#end);
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}
