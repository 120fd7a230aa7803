/** One message as it crossed the network, and what can be told about it without knowing who sent it. */
import { createHash } from 'node:crypto';
import { assert } from '../../../core/base/assert.js';
import { isPortError } from '../../../core/ports/error.js';
import { encodeFrame, HEADER_BYTES, MAX_LIST_BYTES } from '../../../core/wire/frame.js';
import { decodeNv, type NvList } from '../../../core/wire/nv-list.js';
import type { NvPair } from '../../../core/wire/nv.js';
import { openPayload, readPayloadSpec } from '../../../core/wire/payload.js';
import { simCodecs } from '../../../sim/codecs.js';
import { hexOf } from '../files.js';

export interface Message {
  /** Header and list, byte for byte; in a recording of bad input perhaps less than that. */
  readonly frame: Uint8Array;
  readonly version: number;
  /** Null: not a valid list. */
  readonly list: NvList | null;
  readonly data: Uint8Array;
}

/** What is compared of a message. */
export interface View {
  readonly version: number;
  /** `name:type=value`, in order. */
  readonly fields: readonly string[];
  readonly data: string;
}

export function parseMessage(frame: Uint8Array, data: Uint8Array): Message {
  const whole = frame.length >= HEADER_BYTES && frame.length === HEADER_BYTES + listBytesOf(frame);
  const list = whole ? decodeNv(frame.subarray(HEADER_BYTES)) : null;
  return { frame, version: frame[0] ?? 0, list: isPortError(list) ? null : list, data };
}

export function listBytesOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(1, true);
}

/** `masked` fields are taken as they come: their values do not show. */
export function viewOf({ version, list, data }: Message, masked: readonly string[] = []): View {
  const pairs = list?.pairs() ?? [];
  const fields = pairs.map(
    ({ name, type, value }) => `${name}:${type}=${masked.includes(name) ? maskOf(value) : textOf(value)}`,
  );
  return { version, fields, data: digestOf(data) };
}

function textOf(value: NvPair['value']): string {
  if (value instanceof Uint8Array) return hexOf(value);
  return typeof value === 'object' ? value.join(',') : String(value);
}

function maskOf(value: NvPair['value']): string {
  return value instanceof Uint8Array ? `(${String(value.length)} bytes)` : '*';
}

/** Enough of the data to tell it from other data, and to be printed. */
function digestOf(data: Uint8Array): string {
  if (data.length === 0) return 'none';
  return `${String(data.length)} bytes, sha256 ${sha256Of(data)}`;
}

export function sha256Of(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The message with other values in some of its fields; those it does not have are not added. */
export function withValues(
  { version, list, data }: Message,
  values: Readonly<Record<string, NvPair['value']>>,
): Uint8Array[] {
  assert(list !== null, 'a valid message');
  const pairs = list
    .pairs()
    .map((pair) => (pair.name in values ? ({ ...pair, value: values[pair.name] } as NvPair) : pair));
  return [encodeFrame(version, pairs), data];
}

const COMMANDS = ['', 'READ', 'WRITE', 'DELETE', 'FLUSH', 'KEEPALIVE'] as const;

/** What kind of message this is. */
export function nameOf({ list }: Message): string {
  if (list === null) return 'something invalid';
  if (list.has('insync')) {
    return list.number('insync', 'uint8') === 0
      ? 'KEEPALIVE that says incomplete'
      : 'KEEPALIVE that says insync';
  }
  if (list.has('cmd')) return COMMANDS[list.number('cmd', 'uint8') ?? 0] ?? 'unknown command';
  if (list.has('errmsg')) return 'refusal';
  if (list.has('datasize')) return 'answer to attach';
  if (list.has('resource')) return list.has('token') ? 'attach' : 'hello';
  if (list.has('token')) return 'answer to hello';
  return list.has('error') && list.number('error', 'int16') !== 0 ? 'error reply' : 'reply';
}

/** Offset and length of a request, as numbers; 0 when absent. */
export function rangeOf({ list }: Message): { readonly offset: number; readonly length: number } {
  return {
    offset: list?.safeInteger('offset', 'uint64') ?? 0,
    length: list?.safeInteger('length', 'uint64') ?? 0,
  };
}

export function seqOf({ list }: Message): bigint | null {
  return list?.bigint('seq', 'uint64') ?? null;
}

/** The data of a WRITE or of the answer to a READ as it was before packing; null when it is not `length` bytes. */
export function contentOf({ list, data }: Message, length: number): Uint8Array | null {
  const spec = list === null ? null : readPayloadSpec(list);
  if (spec === null || isPortError(spec) || spec.size !== data.length) return null;
  const content = new Uint8Array(length);
  return openPayload(simCodecs, spec, data, content) === null ? content : null;
}

/** Longest READ or WRITE of the node that was recorded. */
const REFERENCE_MAX_BYTES = 131_072;
const SECTOR_BYTES = 512;

/** What is unusual about a message of a primary, so that the nodes of today may answer it otherwise; null: nothing. */
export function oddityOf(message: Message): string | null {
  const { frame, list } = message;
  if (frame.length >= HEADER_BYTES && listBytesOf(frame) > MAX_LIST_BYTES)
    return 'a list of more than 64 KiB';
  if (list === null) return null;
  const name = nameOf(message);
  const { offset, length } = rangeOf(message);
  if (name === 'READ' && length > REFERENCE_MAX_BYTES) return 'a READ of more than 128 KiB';
  if (name !== 'WRITE') return null;
  if (offset % SECTOR_BYTES !== 0 || length % SECTOR_BYTES !== 0) return 'a WRITE of no whole sectors';
  // A wrong checksum is no matter of length.
  const spec = readPayloadSpec(list);
  if (spec !== null && !isPortError(spec) && spec.checksum !== 'none') return null;
  return contentOf(message, length) === null ? 'a WRITE whose data does not fit its length' : null;
}
