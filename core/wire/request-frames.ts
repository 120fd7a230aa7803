/**
 * Requests and replies as frames, without a list of pairs in between: what `encodeFrame` makes of `encodeRequest` or
 * `encodeReply` and the fields of the data, byte by byte (core/spec/wire.md section 8).
 */
import { putUint32 } from '../base/bytes.js';
import type { ChecksumName, CompressionName } from '../config/types.js';
import { encodeFrame } from './frame.js';
import { FrameTemplate, putUint64 } from './frame-template.js';
import type { NvPair } from './nv.js';
import { payloadFields, type PayloadSpec } from './payload.js';
import { COMMANDS, encodeReply, encodeRequest, type IoRequest, type Reply } from './request-messages.js';

/** A message of one kind, and where its numbers are; 0: it has no such field. */
interface Kind {
  readonly template: FrameTemplate;
  readonly seqAt: number;
  readonly offsetAt: number;
  readonly lengthAt: number;
  readonly hashAt: number;
  readonly sizeAt: number;
}

const COMPRESSIONS: readonly CompressionName[] = ['none', 'hole', 'lzf'];
const CHECKSUMS: readonly ChecksumName[] = ['none', 'crc32', 'sha256'];
const REPLY = 0;

/** By the number that `numberOf` gives it, made when the first of a kind is needed. */
const kinds: (Kind | undefined)[] = [];

/** `payload` describes the data that follows a WRITE; null: none does. */
export function requestFrame(version: number, request: IoRequest, payload: PayloadSpec | null): Uint8Array {
  const { command, seq, offset, length, memsync } = request;
  const number = numberOf(version, COMMANDS.indexOf(command), memsync, payload);
  let kind = kinds[number];
  if (kind === undefined) {
    const pairs = encodeRequest({ command, seq: 0, offset: 0, length: 0, memsync });
    kind = kinds[number] = newKind(version, pairs, payload);
  }
  const frame = kind.template.copy();
  putUint64(frame, kind.seqAt, seq);
  putUint64(frame, kind.offsetAt, offset);
  putUint64(frame, kind.lengthAt, length);
  if (payload !== null) putPayload(frame, kind, payload);
  return frame;
}

/** `payload` describes the data that follows the answer to a READ; null: none does. */
export function replyFrame(version: number, reply: Reply, payload: PayloadSpec | null): Uint8Array {
  const { seq, received } = reply;
  if (reply.error !== null) return encodeFrame(version, encodeReply(reply));
  const number = numberOf(version, REPLY, received, payload);
  let kind = kinds[number];
  if (kind === undefined) {
    const pairs = encodeReply({ seq: 0, received, error: null });
    kind = kinds[number] = newKind(version, pairs, payload);
  }
  const frame = kind.template.copy();
  putUint64(frame, kind.seqAt, seq);
  if (payload !== null) putPayload(frame, kind, payload);
  return frame;
}

/** `isEarly`: a memsync WRITE, or the first answer to one. */
function numberOf(version: number, command: number, isEarly: boolean, payload: PayloadSpec | null): number {
  const what = (version * COMMANDS.length + command) * 2 + (isEarly ? 1 : 0);
  const packing =
    payload === null
      ? 0
      : 1 +
        COMPRESSIONS.indexOf(payload.compression) * CHECKSUMS.length +
        CHECKSUMS.indexOf(payload.checksum);
  return what * (1 + COMPRESSIONS.length * CHECKSUMS.length) + packing;
}

function newKind(version: number, pairs: readonly NvPair[], payload: PayloadSpec | null): Kind {
  const fields = payload === null ? [] : payloadFields(payload);
  const template = new FrameTemplate(version, [...pairs, ...fields]);
  return {
    template,
    seqAt: template.placeOf('seq'),
    offsetAt: template.placeOf('offset'),
    lengthAt: template.placeOf('length'),
    hashAt: template.placeOf('hash'),
    sizeAt: template.placeOf('size'),
  };
}

function putPayload(frame: Uint8Array, kind: Kind, { hash, size }: PayloadSpec): void {
  putUint32(frame, kind.sizeAt, size);
  if (kind.hashAt > 0) frame.set(hash, kind.hashAt);
}
