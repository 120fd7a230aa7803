/**
 * The handshake of one NBD client, as a function from option to answer. There is one export: the provider,
 * which is the default ('') too. TLS is refused: the Unix socket's directory belongs to hastd's user, and who offers
 * TCP chooses the network.
 */
import type { DeviceGeometry } from '../../core/ports/device.js';
import type { BlockSizes } from './protocol.js';
import { bytesOf, textOf } from '../../core/base/bytes.js';
import {
  HANDSHAKE_FLAG,
  INFO,
  OPTION,
  OPTION_REPLY,
  TRANSMISSION_FLAG,
  decodeInfoRequest,
  encodeBlockSizeItem,
  encodeExportItem,
  encodeExportNameAnswer,
  encodeOptionReply,
  encodeServerName,
  encodeTextItem,
} from './protocol.js';

const PREFERRED_BYTES = 1 << 20;
/** Longest READ or WRITE served. */
export const MAX_PAYLOAD_BYTES = 32 << 20;

/** Real clients need about ten; a client that goes on and on has no use for the device. */
const MAX_OPTIONS = 256;

const FLAGS =
  TRANSMISSION_FLAG.hasFlags |
  TRANSMISSION_FLAG.flush |
  TRANSMISSION_FLAG.fua |
  TRANSMISSION_FLAG.trim |
  TRANSMISSION_FLAG.writeZeroes |
  TRANSMISSION_FLAG.multiConn;

const NO_DATA = new Uint8Array(0);

export interface OptionAnswer {
  readonly replies: readonly Uint8Array[];
  /** `end`: the connection is closed once the replies are out. */
  readonly next: 'options' | 'transmission' | 'end';
}

export class Negotiation {
  /** READs are answered in chunks, errors with a text. */
  structured = false;
  readonly #geometry: DeviceGeometry;
  #noZeroes = false;
  #options = 0;

  constructor(geometry: DeviceGeometry) {
    this.#geometry = geometry;
  }

  /** False: the client speaks a protocol that does not exist yet and must be dropped. */
  acceptClientFlags(flags: number): boolean {
    this.#noZeroes = (flags & HANDSHAKE_FLAG.noZeroes) !== 0;
    return (flags & ~(HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes)) === 0;
  }

  answer(option: number, data: Uint8Array): OptionAnswer {
    if (++this.#options > MAX_OPTIONS) return { replies: [], next: 'end' };
    switch (option) {
      case OPTION.exportName:
        return this.#exportName(textOf(data));
      case OPTION.abort:
        return { replies: [encodeOptionReply(option, OPTION_REPLY.ack, NO_DATA)], next: 'end' };
      case OPTION.list:
        return data.length === 0 ? this.#list() : refuse(option, 'invalid', 'LIST has no data');
      case OPTION.info:
      case OPTION.go:
        return this.#info(option, data);
      case OPTION.structuredReply:
        if (data.length > 0) return refuse(option, 'invalid', 'STRUCTURED_REPLY has no data');
        this.structured = true;
        return { replies: [encodeOptionReply(option, OPTION_REPLY.ack, NO_DATA)], next: 'options' };
      case OPTION.startTls:
        return refuse(option, 'policy', 'hastd does not offer TLS: use the Unix socket, or a tunnel');
      default:
        return refuse(option, 'unsupported', 'hastd does not know this option');
    }
  }

  #exportName(name: string): OptionAnswer {
    if (!this.#isOurs(name)) return { replies: [], next: 'end' };
    const answer = encodeExportNameAnswer(this.#geometry.mediaSize, this.#flags(), this.#noZeroes);
    return { replies: [answer], next: 'transmission' };
  }

  #list(): OptionAnswer {
    const server = encodeServerName(this.#geometry.provider);
    const replies = [
      encodeOptionReply(OPTION.list, OPTION_REPLY.server, server),
      encodeOptionReply(OPTION.list, OPTION_REPLY.ack, NO_DATA),
    ];
    return { replies, next: 'options' };
  }

  /** The export's size and block sizes are told always, the rest when asked for. */
  #info(option: number, data: Uint8Array): OptionAnswer {
    const request = decodeInfoRequest(data);
    if (request === null) return refuse(option, 'invalid', 'malformed INFO or GO');
    const { provider, mediaSize } = this.#geometry;
    if (!this.#isOurs(request.name)) return refuse(option, 'unknown', `the export here is "${provider}"`);
    const items = [encodeExportItem(mediaSize, this.#flags()), encodeBlockSizeItem(this.#blocks())];
    if (request.items.includes(INFO.name)) items.push(encodeTextItem(INFO.name, provider));
    if (request.items.includes(INFO.description)) {
      items.push(encodeTextItem(INFO.description, `HAST provider hast/${provider}`));
    }
    const replies = items.map((item) => encodeOptionReply(option, OPTION_REPLY.info, item));
    replies.push(encodeOptionReply(option, OPTION_REPLY.ack, NO_DATA));
    return { replies, next: option === OPTION.go ? 'transmission' : 'options' };
  }

  /** Names are compared as bytes, the way they are printed. */
  #isOurs(name: string): boolean {
    return name === '' || name === textOf(bytesOf(this.#geometry.provider));
  }

  #flags(): number {
    return this.structured ? FLAGS | TRANSMISSION_FLAG.dontFragment : FLAGS;
  }

  #blocks(): BlockSizes {
    const minimum = this.#geometry.sectorSize;
    return { minimum, preferred: Math.max(minimum, PREFERRED_BYTES), maximum: MAX_PAYLOAD_BYTES };
  }
}

function refuse(
  option: number,
  why: 'policy' | 'invalid' | 'unknown' | 'unsupported',
  text: string,
): OptionAnswer {
  return { replies: [encodeOptionReply(option, OPTION_REPLY[why], bytesOf(text))], next: 'options' };
}
