/**
 * Reads along on the wire: the bytes of one direction of a connection between nodes as messages in words, told when the last
 * byte has been sent and again when it has arrived. What kind of connection it is follows from its first message.
 */
import { isPortError } from '../../core/ports/error.js';
import { HEADER_BYTES, MAX_LIST_BYTES, PROTOCOL_VERSION } from '../../core/wire/frame.js';
import {
  decodeAttachReply,
  decodeFirstMessage,
  decodeHelloReply,
} from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import { MessageReader } from '../../core/wire/reader.js';
import { decodeReply, decodeRequest } from '../../core/wire/request-messages.js';
import { shortId } from './front-watch.js';

/** HAST's names for the two connections of a session: requests on A, replies on B. */
export type Wire = 'A' | 'B';

export interface TappedMessage {
  readonly text: string;
  readonly kind: 'handshake' | 'request' | 'reply' | 'keepalive' | 'unknown';
  /** Of requests and replies: what a reply answers. */
  readonly seq: number | null;
  /** What the request is about, or the request that this reply answers; bytes of the device. */
  readonly range: { readonly offset: number; readonly length: number } | null;
  /** The message was a WRITE, or something else. */
  readonly command: string | null;
}

type Request = Pick<TappedMessage, 'command' | 'range'>;

/** Both directions of one connection. */
export class ConnectionTap {
  readonly there: ChannelTap;
  readonly back: ChannelTap;
  #wire: Wire | null = null;

  /** `requests`: what the dialling worker has asked for, by sequence number; replies are read with it. */
  constructor(requests: Map<number, Request>) {
    this.there = new ChannelTap((list, index) => {
      if (index === 0) return this.#first(list);
      return describeRequest(list, requests);
    });
    // Both handshakes are answered on A, the requests on B (core/spec/wire.md section 6).
    this.back = new ChannelTap((list, index) => {
      if (list.has('errmsg')) return handshake(`refused: ${list.string('errmsg') ?? ''}`);
      if (this.#wire === 'B') return describeReply(list, requests);
      return index === 0 ? describeHelloReply(list) : describeAttachReply(list);
    });
  }

  /** Null before the first message is complete. */
  get wire(): Wire | null {
    return this.#wire;
  }

  #first(list: NvList): TappedMessage {
    const first = decodeFirstMessage(list);
    if (isPortError(first)) return handshake(first.message);
    if (first.kind === 'hello') {
      this.#wire = 'A';
      return handshake(`hello ${first.resource}, version ${String(first.version)}`);
    }
    this.#wire = 'B';
    const { virgin, resuid, localcnt, remotecnt } = first;
    return handshake(
      `attach ${virgin ? 'virgin, ' : ''}resuid ${shortId(resuid)}, counters ${String(localcnt)}/${String(remotecnt)}`,
    );
  }
}

/** One direction of one connection. */
export class ChannelTap {
  /** Complete messages that have not arrived, the oldest first. */
  readonly #underWay: { readonly message: TappedMessage; readonly endsAt: number }[] = [];
  readonly #reader: MessageReader;
  #sent: TappedMessage[] = [];
  #message: TappedMessage | null = null;
  #messages = 0;
  /** Bytes up to the end of the message that is being read. */
  #endsAt = 0;
  #arrivedBytes = 0;

  constructor(describe: (list: NvList, index: number) => TappedMessage) {
    this.#reader = new MessageReader(
      { maxVersion: PROTOCOL_VERSION, maxListBytes: MAX_LIST_BYTES },
      {
        listReceived: (_version, bytes) => {
          const list = decodeNv(bytes);
          const size = isPortError(list) ? 0 : (list.number('size', 'uint32') ?? 0);
          this.#message = isPortError(list) ? unknown(list.message) : describe(list, this.#messages);
          this.#endsAt += HEADER_BYTES + bytes.length + size;
          return { skip: size };
        },
        payloadReceived: () => {
          this.#complete();
        },
        violated: (reason) => {
          this.#message = unknown(reason);
          this.#complete();
        },
      },
    );
  }

  /** The messages that are complete with these bytes. */
  sent(bytes: Uint8Array): readonly TappedMessage[] {
    this.#sent = [];
    for (let rest = bytes; rest.length > 0;) {
      const target = this.#reader.target();
      const part = rest.subarray(0, target.length);
      target.set(part);
      this.#reader.filled(part.length);
      rest = rest.subarray(part.length);
    }
    return this.#sent;
  }

  /** The messages whose last byte is among the next `bytes` that arrive. */
  arrived(bytes: number): readonly TappedMessage[] {
    this.#arrivedBytes += bytes;
    const whole = this.#underWay.filter(({ endsAt }) => endsAt <= this.#arrivedBytes);
    this.#underWay.splice(0, whole.length);
    return whole.map(({ message }) => message);
  }

  #complete(): void {
    const message = this.#message;
    if (message === null) return;
    this.#message = null;
    this.#messages++;
    this.#sent.push(message);
    this.#underWay.push({ message, endsAt: this.#endsAt });
  }
}

function describeRequest(list: NvList, requests: Map<number, Request>): TappedMessage {
  const request = decodeRequest(list);
  if (isPortError(request)) return unknown(request.message);
  if (request.command === 'rejected') return unknown(request.error.message);
  if (request.command === 'keepalive') {
    const { insync } = request;
    const text =
      insync === null ? 'KEEPALIVE' : `KEEPALIVE, your copy is ${insync ? 'complete' : 'incomplete'}`;
    return { text, kind: 'keepalive', seq: null, range: null, command: 'keepalive' };
  }
  const { command, seq, offset, length, memsync } = request;
  const range = command === 'flush' ? null : { offset, length };
  requests.set(seq, { command, range });
  return {
    text: `${command.toUpperCase()}${memsync ? ' (memsync)' : ''}`,
    kind: 'request',
    seq,
    range,
    command,
  };
}

function describeReply(list: NvList, requests: Map<number, Request>): TappedMessage {
  const { seq, received, error } = decodeReply(list);
  const { command, range } = requests.get(seq) ?? { command: null, range: null };
  const what = received ? 'received' : error === null ? 'done' : `failed with ${error}`;
  return { text: `${command?.toUpperCase() ?? 'reply'} ${what}`, kind: 'reply', seq, range, command };
}

function describeHelloReply(list: NvList): TappedMessage {
  const reply = decodeHelloReply(list, PROTOCOL_VERSION);
  if (isPortError(reply) || reply.kind === 'refused') return handshake(reply.message);
  return handshake(`welcome, version ${String(reply.version)}`);
}

function describeAttachReply(list: NvList): TappedMessage {
  const reply = decodeAttachReply(list);
  if (isPortError(reply) || reply.kind === 'refused') return handshake(reply.message);
  const { virgin, localcnt, remotecnt, syncsrc, mapsize } = reply;
  const source = syncsrc === null ? 'nothing about the source' : `the ${syncsrc} has the good data`;
  const map = mapsize === 0 ? 'no dirty extents' : `a map of ${String(mapsize)} bytes`;
  const standing = `${virgin ? 'virgin, ' : ''}counters ${String(localcnt)}/${String(remotecnt)}`;
  return handshake(`attached, ${standing}, ${source}, ${map}`);
}

function handshake(text: string): TappedMessage {
  return { text, kind: 'handshake', seq: null, range: null, command: null };
}

function unknown(text: string): TappedMessage {
  return { text, kind: 'unknown', seq: null, range: null, command: null };
}
