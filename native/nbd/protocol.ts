/**
 * The NBD protocol's bytes, fixed newstyle, big-endian throughout (core/spec/integration.md section 7): numbers and
 * codecs that server and client share, no state. NBD is how a primary offers its provider on Linux, where
 * FreeBSD has GEOM gate.
 *
 *   handshake     server greets, client answers with its flags, then sends options until GO or EXPORT_NAME
 *   transmission  requests with a cookie, answered in any order by a simple reply or by chunks with that cookie
 *
 * 64-bit numbers are written as two 32-bit halves; BigInt costs ten times as much. Cookies are never looked into.
 */
import { bytesOf, textOf, viewOf } from '../../core/base/bytes.js';

export const DEFAULT_PORT = 10809;

const NBDMAGIC_HIGH = 0x4e42444d;
const NBDMAGIC_LOW = 0x41474943;
const IHAVEOPT_HIGH = 0x49484156;
const IHAVEOPT_LOW = 0x454f5054;
const OPTION_REPLY_HIGH = 0x0003e889;
const OPTION_REPLY_LOW = 0x045565a9;
const REQUEST_MAGIC = 0x25609513;
const SIMPLE_REPLY_MAGIC = 0x67446698;
const CHUNK_MAGIC = 0x668e33ef;

/** Sizes of the fixed parts, in bytes. */
export const GREETING_BYTES = 18;
export const CLIENT_FLAGS_BYTES = 4;
export const OPTION_BYTES = 16;
export const OPTION_REPLY_BYTES = 20;
export const REQUEST_BYTES = 28;
export const SIMPLE_REPLY_BYTES = 16;
export const CHUNK_BYTES = 20;
/** A read's data chunk: the offset precedes the data. */
export const DATA_CHUNK_BYTES = CHUNK_BYTES + 8;

/** Sent by the server, answered by the client with the same bits. */
export const HANDSHAKE_FLAG = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const TRANSMISSION_FLAG = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  flush: 1 << 2,
  fua: 1 << 3,
  trim: 1 << 5,
  writeZeroes: 1 << 6,
  /** Reads come back in one chunk when the request asks for it. */
  dontFragment: 1 << 7,
  /** A FLUSH on one connection covers what was answered on any. */
  multiConn: 1 << 8,
} as const;

export const OPTION = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
} as const;

export const OPTION_REPLY = {
  ack: 1,
  server: 2,
  info: 3,
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  unknown: 0x80000006,
} as const;

/** Items of INFO and GO. */
export const INFO = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

export const COMMAND = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6 } as const;

export const COMMAND_FLAG = { fua: 1 << 0, noHole: 1 << 1, dontFragment: 1 << 2 } as const;

export const CHUNK = { none: 0, offsetData: 1, offsetHole: 2, error: 0x8001, errorOffset: 0x8002 } as const;

/** The chunk that ends a reply. */
const CHUNK_FLAG_DONE = 1;

/** Names are at most this long by the protocol. */
const MAX_NAME_BYTES = 4096;

/** Errors on the wire are Linux numbers on every system; those not listed travel as EIO. */
const ERROR_NUMBERS: Readonly<Record<string, number>> = {
  EPERM: 1,
  EACCES: 1,
  EROFS: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EDQUOT: 28,
  EFBIG: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  EOPNOTSUPP: 95,
  ESHUTDOWN: 108,
  ENXIO: 108,
};

const ERROR_CODES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  5: 'EIO',
  12: 'ENOMEM',
  22: 'EINVAL',
  28: 'ENOSPC',
  75: 'EOVERFLOW',
  95: 'EOPNOTSUPP',
  108: 'ESHUTDOWN',
};

/** The wire's number for a PortError code. */
export function errorNumber(code: string): number {
  return ERROR_NUMBERS[code] ?? 5;
}

/** The PortError code for the wire's number. */
export function errorCode(number: number): string {
  return ERROR_CODES[number] ?? 'EIO';
}

/** What a client learns about an export; the block sizes are null when the server did not tell. */
export interface ExportInfo {
  readonly mediaSize: number;
  readonly flags: number;
  readonly blocks: BlockSizes | null;
}

/** Bytes. */
export interface BlockSizes {
  readonly minimum: number;
  readonly preferred: number;
  readonly maximum: number;
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value % 2 ** 32);
}

/** Inexact from 2^53 on; every limit it is compared with lies below. */
function getU64(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

// Handshake, server's side.

export function encodeGreeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, NBDMAGIC_HIGH);
  view.setUint32(4, NBDMAGIC_LOW);
  view.setUint32(8, IHAVEOPT_HIGH);
  view.setUint32(12, IHAVEOPT_LOW);
  view.setUint16(16, HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes);
  return bytes;
}

/** Option number and data length at `at`, null when the magic is wrong. */
export function decodeOption(view: DataView, at: number): { option: number; length: number } | null {
  if (view.getUint32(at) !== IHAVEOPT_HIGH || view.getUint32(at + 4) !== IHAVEOPT_LOW) return null;
  return { option: view.getUint32(at + 8), length: view.getUint32(at + 12) };
}

export function encodeOptionReply(option: number, type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(OPTION_REPLY_BYTES + data.length);
  const view = viewOf(bytes);
  view.setUint32(0, OPTION_REPLY_HIGH);
  view.setUint32(4, OPTION_REPLY_LOW);
  view.setUint32(8, option);
  view.setUint32(12, type);
  view.setUint32(16, data.length);
  bytes.set(data, OPTION_REPLY_BYTES);
  return bytes;
}

/** Data of a LIST answer. */
export function encodeServerName(name: string): Uint8Array {
  const bytes = new Uint8Array(4 + name.length);
  viewOf(bytes).setUint32(0, name.length);
  bytes.set(bytesOf(name), 4);
  return bytes;
}

export function encodeExportItem(mediaSize: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = viewOf(bytes);
  view.setUint16(0, INFO.export);
  setU64(view, 2, mediaSize);
  view.setUint16(10, flags);
  return bytes;
}

export function encodeBlockSizeItem(blocks: BlockSizes): Uint8Array {
  const bytes = new Uint8Array(14);
  const view = viewOf(bytes);
  view.setUint16(0, INFO.blockSize);
  view.setUint32(2, blocks.minimum);
  view.setUint32(6, blocks.preferred);
  view.setUint32(10, blocks.maximum);
  return bytes;
}

/** INFO's name (1) and description (2) items. */
export function encodeTextItem(item: number, text: string): Uint8Array {
  const bytes = new Uint8Array(2 + text.length);
  viewOf(bytes).setUint16(0, item);
  bytes.set(bytesOf(text), 2);
  return bytes;
}

/** The answer to EXPORT_NAME, which has no header; 124 zeroes follow unless both sides agreed to leave them out. */
export function encodeExportNameAnswer(mediaSize: number, flags: number, noZeroes: boolean): Uint8Array {
  const bytes = new Uint8Array(noZeroes ? 10 : 134);
  const view = viewOf(bytes);
  setU64(view, 0, mediaSize);
  view.setUint16(8, flags);
  return bytes;
}

/** Data of INFO and GO: the export's name and the items asked for; null when malformed. */
export function decodeInfoRequest(data: Uint8Array): { name: string; items: readonly number[] } | null {
  if (data.length < 6) return null;
  const view = viewOf(data);
  const nameLength = view.getUint32(0);
  if (nameLength > data.length - 6) return null;
  const count = view.getUint16(4 + nameLength);
  if (data.length !== 6 + nameLength + 2 * count) return null;
  const items: number[] = [];
  for (let i = 0; i < count; i++) items.push(view.getUint16(6 + nameLength + 2 * i));
  return { name: textOf(data.subarray(4, 4 + nameLength)), items };
}

// Handshake, client's side.

/** The server's handshake flags; null when it does not speak newstyle NBD. */
export function decodeGreeting(bytes: Uint8Array): number | null {
  const view = viewOf(bytes);
  if (view.getUint32(0) !== NBDMAGIC_HIGH || view.getUint32(4) !== NBDMAGIC_LOW) return null;
  if (view.getUint32(8) !== IHAVEOPT_HIGH || view.getUint32(12) !== IHAVEOPT_LOW) return null;
  return view.getUint16(16);
}

export function encodeClientFlags(flags: number): Uint8Array {
  const bytes = new Uint8Array(CLIENT_FLAGS_BYTES);
  viewOf(bytes).setUint32(0, flags);
  return bytes;
}

export function encodeOption(option: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(OPTION_BYTES + data.length);
  const view = viewOf(bytes);
  view.setUint32(0, IHAVEOPT_HIGH);
  view.setUint32(4, IHAVEOPT_LOW);
  view.setUint32(8, option);
  view.setUint32(12, data.length);
  bytes.set(data, OPTION_BYTES);
  return bytes;
}

export function encodeInfoRequest(name: string, items: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(6 + name.length + 2 * items.length);
  const view = viewOf(bytes);
  view.setUint32(0, name.length);
  bytes.set(bytesOf(name), 4);
  view.setUint16(4 + name.length, items.length);
  items.forEach((item, i) => {
    view.setUint16(6 + name.length + 2 * i, item);
  });
  return bytes;
}

export function decodeOptionReply(
  bytes: Uint8Array,
): { option: number; type: number; length: number } | null {
  const view = viewOf(bytes);
  if (view.getUint32(0) !== OPTION_REPLY_HIGH || view.getUint32(4) !== OPTION_REPLY_LOW) return null;
  return { option: view.getUint32(8), type: view.getUint32(12), length: view.getUint32(16) };
}

/** `known` and what an info item adds to it; items that are unknown or malformed change nothing. */
export function decodeInfoItem(data: Uint8Array, known: ExportInfo): ExportInfo {
  const view = viewOf(data);
  if (data.length === 12 && view.getUint16(0) === INFO.export) {
    return { ...known, mediaSize: getU64(view, 2), flags: view.getUint16(10) };
  }
  if (data.length === 14 && view.getUint16(0) === INFO.blockSize) {
    const [minimum, preferred, maximum] = [view.getUint32(2), view.getUint32(6), view.getUint32(10)];
    return { ...known, blocks: { minimum, preferred, maximum } };
  }
  return known;
}

// Transmission.

/** A request's header. Reused for every request of a connection, so that parsing allocates nothing. */
export interface RequestHeader {
  flags: number;
  type: number;
  cookieHigh: number;
  cookieLow: number;
  offset: number;
  length: number;
}

/** Reads the header at `at` into `header`; false when the magic is wrong. */
export function decodeRequest(view: DataView, at: number, header: RequestHeader): boolean {
  if (view.getUint32(at) !== REQUEST_MAGIC) return false;
  header.flags = view.getUint16(at + 4);
  header.type = view.getUint16(at + 6);
  header.cookieHigh = view.getUint32(at + 8);
  header.cookieLow = view.getUint32(at + 12);
  header.offset = getU64(view, at + 16);
  header.length = view.getUint32(at + 24);
  return true;
}

export function encodeRequest(view: DataView, at: number, header: Readonly<RequestHeader>): void {
  view.setUint32(at, REQUEST_MAGIC);
  view.setUint16(at + 4, header.flags);
  view.setUint16(at + 6, header.type);
  view.setUint32(at + 8, header.cookieHigh);
  view.setUint32(at + 12, header.cookieLow);
  setU64(view, at + 16, header.offset);
  view.setUint32(at + 24, header.length);
}

/** 16 bytes at `at`. A successful READ's data follows, without structured replies. */
export function encodeSimpleReply(
  view: DataView,
  at: number,
  error: number,
  cookieHigh: number,
  cookieLow: number,
): void {
  view.setUint32(at, SIMPLE_REPLY_MAGIC);
  view.setUint32(at + 4, error);
  view.setUint32(at + 8, cookieHigh);
  view.setUint32(at + 12, cookieLow);
}

/** The 20 bytes of a chunk's header at `at`; `length` is that of the payload to come. */
export function encodeChunk(
  view: DataView,
  at: number,
  type: number,
  cookieHigh: number,
  cookieLow: number,
  length: number,
): void {
  view.setUint32(at, CHUNK_MAGIC);
  view.setUint16(at + 4, CHUNK_FLAG_DONE);
  view.setUint16(at + 6, type);
  view.setUint32(at + 8, cookieHigh);
  view.setUint32(at + 12, cookieLow);
  view.setUint32(at + 16, length);
}

/** The 28 bytes before a read's `length` bytes of data, which are the whole reply. */
export function encodeDataChunk(
  view: DataView,
  at: number,
  cookieHigh: number,
  cookieLow: number,
  offset: number,
  length: number,
): void {
  encodeChunk(view, at, CHUNK.offsetData, cookieHigh, cookieLow, 8 + length);
  setU64(view, at + CHUNK_BYTES, offset);
}

/** A whole error reply as one chunk, with a sentence for people. */
export function encodeErrorChunk(
  cookieHigh: number,
  cookieLow: number,
  error: number,
  message: string,
): Uint8Array {
  const text = bytesOf(message.slice(0, MAX_NAME_BYTES));
  const bytes = new Uint8Array(CHUNK_BYTES + 6 + text.length);
  const view = viewOf(bytes);
  encodeChunk(view, 0, CHUNK.error, cookieHigh, cookieLow, 6 + text.length);
  view.setUint32(CHUNK_BYTES, error);
  view.setUint16(CHUNK_BYTES + 4, text.length);
  bytes.set(text, CHUNK_BYTES + 6);
  return bytes;
}

/** What a client finds at the start of the next reply. */
export type ReplyHeader =
  | { kind: 'simple'; cookieHigh: number; cookieLow: number; error: number }
  | { kind: 'chunk'; cookieHigh: number; cookieLow: number; type: number; done: boolean; length: number };

/** Bytes of the header that starts at `at`; 0 when no reply starts there. At least 4 bytes must be there. */
export function replyHeaderBytes(view: DataView, at: number): number {
  const magic = view.getUint32(at);
  return magic === SIMPLE_REPLY_MAGIC ? SIMPLE_REPLY_BYTES : magic === CHUNK_MAGIC ? CHUNK_BYTES : 0;
}

/** Decodes the header whose size `replyHeaderBytes` told. */
export function decodeReply(view: DataView, at: number): ReplyHeader {
  const cookieHigh = view.getUint32(at + 8);
  const cookieLow = view.getUint32(at + 12);
  if (view.getUint32(at) === SIMPLE_REPLY_MAGIC) {
    return { kind: 'simple', cookieHigh, cookieLow, error: view.getUint32(at + 4) };
  }
  const done = (view.getUint16(at + 4) & CHUNK_FLAG_DONE) !== 0;
  return {
    kind: 'chunk',
    cookieHigh,
    cookieLow,
    type: view.getUint16(at + 6),
    done,
    length: view.getUint32(at + 16),
  };
}

/** Payload of an error chunk: number and text. A malformed one is EIO without text. */
export function decodeErrorChunk(payload: Uint8Array): { error: number; message: string } {
  if (payload.length < 6) return { error: 5, message: '' };
  const view = viewOf(payload);
  const length = Math.min(view.getUint16(4), payload.length - 6);
  return { error: view.getUint32(0), message: textOf(payload.subarray(6, 6 + length)) };
}

/** Where the content of a data or hole chunk belongs: bytes from the start of the export. */
export function decodeContentOffset(payload: Uint8Array): number {
  return getU64(viewOf(payload), 0);
}
