/**
 * Reads along on the wire: the bytes of one direction of a connection between nodes as messages in words, told when the last
 * byte has been sent and again when it has arrived. What kind of connection it is follows from its first message.
 */
import { Bitmap } from '../../core/activemap/bitmap.js';
import { isPortError } from '../../core/ports/error.js';
import { HEADER_BYTES, MAX_LIST_BYTES, PROTOCOL_VERSION } from '../../core/wire/frame.js';
import {
  decodeAttachReply,
  decodeFirstMessage,
  decodeHelloReply,
} from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import { openPayload, readPayloadSpec, type PayloadSpec } from '../../core/wire/payload.js';
import { MessageReader } from '../../core/wire/reader.js';
import { decodeReply, decodeRequest } from '../../core/wire/request-messages.js';
import { simCodecs } from '../codecs.js';
import { rangesOf, shortId } from './front-watch.js';

/** HAST's names for the two connections of a session: requests on A, replies on B. */
export type Wire = 'A' | 'B';

export interface TappedMessage {
  readonly text: string;
  readonly kind: 'handshake' | 'request' | 'reply' | 'keepalive' | 'unknown';
  /** Of requests and replies: what a reply answers. */
  readonly seq: number | null;
  /** What the request is about, or the request that this reply answers; bytes of the device. */
  readonly range: { readonly offset: number; readonly length: number } | null;
  /** What was asked for; null: it is no request, and no reply to one that is known. */
  readonly command: string | null;
  /** Data of a WRITE, or of the reply to a READ. */
  readonly data: Uint8Array | null;
}

/** A message whose data is still missing: `dataBytes` once it is opened. */
interface Announced {
  readonly message: TappedMessage;
  readonly dataBytes: number;
  readonly withData: (message: TappedMessage, data: Uint8Array) => TappedMessage;
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

  #first(list: NvList): Announced {
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
  /** What to do when the data that is being read is complete. */
  #waiting: () => void = () => undefined;
  #messages = 0;
  /** Bytes up to the end of the message that is being read. */
  #endsAt = 0;
  #arrivedBytes = 0;

  constructor(describe: (list: NvList, index: number) => Announced) {
    this.#reader = new MessageReader(
      { maxVersion: PROTOCOL_VERSION, maxListBytes: MAX_LIST_BYTES },
      {
        listReceived: (_version, bytes) => {
          this.#endsAt += HEADER_BYTES + bytes.length;
          const list = decodeNv(bytes);
          if (isPortError(list)) {
            this.#complete(unknown(list.message));
            return null;
          }
          const announced = describe(list, this.#messages);
          const spec = readPayloadSpec(list);
          if (spec === null || isPortError(spec)) {
            this.#complete(announced.message);
            return null;
          }
          this.#endsAt += spec.size;
          const packed = new Uint8Array(spec.size);
          const complete = (): void => {
            this.#complete(withData(announced, spec, packed));
          };
          this.#waiting = complete;
          return packed;
        },
        payloadReceived: () => {
          this.#waiting();
        },
        violated: (reason) => {
          this.#complete(unknown(reason));
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

  #complete(message: TappedMessage): void {
    this.#messages++;
    this.#sent.push(message);
    this.#underWay.push({ message, endsAt: this.#endsAt });
  }
}

function withData(
  { message, dataBytes, withData }: Announced,
  spec: PayloadSpec,
  packed: Uint8Array,
): TappedMessage {
  const data = new Uint8Array(dataBytes);
  return openPayload(simCodecs, spec, packed, data) === null ? withData(message, data) : message;
}

function describeRequest(list: NvList, requests: Map<number, Request>): Announced {
  const request = decodeRequest(list);
  if (isPortError(request)) return unannounced(unknown(request.message));
  if (request.command === 'rejected') return unannounced(unknown(request.error.message));
  if (request.command === 'keepalive') {
    const { insync } = request;
    const text =
      insync === null ? 'KEEPALIVE' : `KEEPALIVE, your copy is ${insync ? 'complete' : 'incomplete'}`;
    return unannounced({ text, kind: 'keepalive', seq: null, range: null, command: 'keepalive', data: null });
  }
  const { command, seq, offset, length, memsync } = request;
  const range = command === 'flush' ? null : { offset, length };
  requests.set(seq, { command, range });
  const text = `${command.toUpperCase()}${memsync ? ' (memsync)' : ''}`;
  return requestData({ text, kind: 'request', seq, range, command, data: null });
}

function describeReply(list: NvList, requests: Map<number, Request>): Announced {
  const { seq, received, error } = decodeReply(list);
  const { command, range } = requests.get(seq) ?? { command: null, range: null };
  const what = received ? 'received' : error === null ? 'done' : `failed with ${error}`;
  const text = `${command?.toUpperCase() ?? 'reply'} ${what}`;
  return requestData({ text, kind: 'reply', seq, range, command, data: null });
}

function describeHelloReply(list: NvList): Announced {
  const reply = decodeHelloReply(list, PROTOCOL_VERSION);
  if (isPortError(reply) || reply.kind === 'refused') return handshake(reply.message);
  return handshake(`welcome, version ${String(reply.version)}`);
}

function describeAttachReply(list: NvList): Announced {
  const reply = decodeAttachReply(list);
  if (isPortError(reply) || reply.kind === 'refused') return handshake(reply.message);
  const { virgin, localcnt, remotecnt, syncsrc, mapsize } = reply;
  const source = syncsrc === null ? 'nothing about the source' : `the ${syncsrc} has the good data`;
  const standing = `${virgin ? 'virgin, ' : ''}counters ${String(localcnt)}/${String(remotecnt)}`;
  const text = `attached, ${standing}, ${source}`;
  if (mapsize === 0) return handshake(`${text}, no dirty extents`);
  const extents = Math.ceil(reply.datasize / reply.extentsize);
  return {
    ...handshake(text),
    dataBytes: mapsize,
    withData: (message, map) => ({ ...message, text: `${text}, ${dirtyIn(map, extents)}` }),
  };
}

function dirtyIn(map: Uint8Array, extents: number): string {
  const bitmap = Bitmap.from(map, extents);
  const dirty = Array.from({ length: extents }, (_, extent) => extent).filter((extent) => bitmap.has(extent));
  return dirty.length === 0 ? 'no dirty extents' : `dirty extents ${rangesOf(dirty).join(' ')}`;
}

function requestData(message: TappedMessage): Announced {
  return { message, dataBytes: message.range?.length ?? 0, withData: (_, data) => ({ ...message, data }) };
}

function unannounced(message: TappedMessage): Announced {
  return { message, dataBytes: 0, withData: () => message };
}

function handshake(text: string): Announced {
  return unannounced({ text, kind: 'handshake', seq: null, range: null, command: null, data: null });
}

function unknown(text: string): TappedMessage {
  return { text, kind: 'unknown', seq: null, range: null, command: null, data: null };
}
