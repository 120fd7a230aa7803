/**
 * The data stage of a message (core/spec/wire.md section 4): compress, then checksum what is sent. The sender obeys
 * its configuration, the receiver the fields of the message.
 *
 * Receiving: `readPayloadSpec`, then `payloadFits` before a byte of data is taken, then `openPayload` into the buffer
 * that waits for the result. Nothing is allocated by what a peer claims.
 */
import { assert, unreachable } from '../base/assert.js';
import { putUint32, sameBytes, viewOf } from '../base/bytes.js';
import { newBuffer } from '../base/slab.js';
import type { ChecksumName, CompressionName } from '../config/types.js';
import type { Codecs } from '../ports/codecs.js';
import { portError, type PortError } from '../ports/error.js';
import type { NvList } from './nv-list.js';
import { nv, type NvPair } from './nv.js';

/** How to send data; effective values of hast.conf. */
export interface PayloadSettings {
  readonly compression: CompressionName;
  readonly checksum: ChecksumName;
}

export interface PackedPayload {
  /** To be appended to the message's own pairs. */
  readonly fields: NvPair[];
  /** To be sent after the message; the caller's own buffer when it could not be compressed. */
  readonly data: Uint8Array;
}

export interface SealedPayload {
  readonly spec: PayloadSpec;
  /** As in PackedPayload. */
  readonly data: Uint8Array;
}

/** What a message says about the data behind it. */
export interface PayloadSpec {
  /** Bytes on the wire, not 0. */
  readonly size: number;
  readonly compression: CompressionName;
  readonly checksum: ChecksumName;
  /** As long as the checksum's digest; empty without one. */
  readonly hash: Uint8Array;
}

/** The announced length in front of compressed data; all of it for a hole. */
const LENGTH_BYTES = 4;
/** Data must be longer to be tried with LZF, and LZF must save as much. */
const LZF_LEAST_GAIN = 1024;

const NOTHING = new Uint8Array(0);
/** Where data is compressed before anybody knows how long it will be. */
let scratch = NOTHING;

const HASH_BYTES: Record<ChecksumName, number> = { none: 0, crc32: 4, sha256: 32 };

/** `data` (at least one byte) as it goes over the wire. */
export function packPayload(codecs: Codecs, settings: PayloadSettings, data: Uint8Array): PackedPayload {
  const sealed = sealPayload(codecs, settings, data);
  return { fields: payloadFields(sealed.spec), data: sealed.data };
}

/** As `packPayload`, with what there is to say about it instead of pairs that say it. */
export function sealPayload(codecs: Codecs, settings: PayloadSettings, data: Uint8Array): SealedPayload {
  assert(data.length > 0, 'a payload has data');
  const packed = compress(codecs, settings.compression, data);
  const { checksum } = settings;
  const hash = checksum === 'none' ? NOTHING : digest(codecs, checksum, packed.data);
  const spec = { size: packed.data.length, compression: packed.compression, checksum, hash };
  return { spec, data: packed.data };
}

/** The pairs of a message that describe the data behind it. */
export function payloadFields({ size, compression, checksum, hash }: PayloadSpec): NvPair[] {
  const fields: NvPair[] = [];
  if (compression !== 'none') fields.push(nv.string('compression', compression));
  if (checksum !== 'none') fields.push(nv.string('checksum', checksum), nv.bytes('hash', hash));
  fields.push(nv.uint32('size', size));
  return fields;
}

/** Null when no data follows. A PortError is fatal to the session. */
export function readPayloadSpec(list: NvList): PayloadSpec | null | PortError {
  const size = list.number('size', 'uint32') ?? 0;
  if (size === 0) return null;
  const packing = list.string('compression');
  const digesting = list.string('checksum');
  const compression = packing ?? 'none';
  const checksum = digesting ?? 'none';
  // "none" is said by leaving the field out.
  if (packing === 'none' || !isCompression(compression))
    return portError('EINVAL', `data: unknown compression '${compression}'`);
  if (digesting === 'none' || !isChecksum(checksum))
    return portError('EINVAL', `data: unknown checksum '${checksum}'`);
  const hash = checksum === 'none' ? NOTHING : (list.bytes('hash')?.slice() ?? NOTHING);
  if (hash.length !== HASH_BYTES[checksum])
    return portError(
      'EINVAL',
      `data: ${checksum} of ${hash.length} bytes instead of ${HASH_BYTES[checksum]}`,
    );
  return { size, compression, checksum, hash };
}

/** Null when data of this size can be `expectedBytes` long once opened; else the data must not be received at all. */
export function payloadFits(spec: PayloadSpec, expectedBytes: number): PortError | null {
  const { size, compression } = spec;
  switch (compression) {
    case 'none':
      if (size === expectedBytes) return null;
      return portError('EINVAL', `data: ${size} bytes instead of ${expectedBytes}`);
    case 'hole':
      if (size === LENGTH_BYTES) return null;
      return portError('EINVAL', `data: a hole is ${LENGTH_BYTES} bytes, not ${size}`);
    case 'lzf':
      if (expectedBytes > LZF_LEAST_GAIN && size > LENGTH_BYTES && size <= expectedBytes) return null;
      return portError('EINVAL', `data: ${size} bytes of LZF cannot be ${expectedBytes} bytes`);
    default:
      return unreachable(compression);
  }
}

/**
 * Verifies `received` (all `spec.size` bytes) and expands it into `target`, which must become full to the last byte.
 * Uncompressed data that was received in `target` itself stays where it is. On an error `target` is garbage.
 */
export function openPayload(
  codecs: Codecs,
  spec: PayloadSpec,
  received: Uint8Array,
  target: Uint8Array,
): PortError | null {
  const misfit = payloadFits(spec, target.length);
  if (misfit !== null) return misfit;
  assert(received.length === spec.size, 'data is opened once it is complete');
  if (spec.checksum !== 'none' && !sameBytes(digest(codecs, spec.checksum, received), spec.hash))
    return portError('EINVAL', `data: ${spec.checksum} does not match`);
  if (spec.compression === 'none') {
    if (!isSameMemory(received, target)) target.set(received);
    return null;
  }
  const announced = viewOf(received).getUint32(0, true);
  if (announced !== target.length)
    return portError('EINVAL', `data: ${spec.compression} of ${announced} bytes instead of ${target.length}`);
  if (spec.compression === 'hole') {
    target.fill(0);
    return null;
  }
  const length = codecs.lzfDecompress(received.subarray(LENGTH_BYTES), target);
  return length === target.length ? null : portError('EINVAL', 'data: not a valid LZF stream of its length');
}

function compress(
  codecs: Codecs,
  compression: CompressionName,
  data: Uint8Array,
): { readonly compression: CompressionName; readonly data: Uint8Array } {
  if (compression === 'none') return { compression, data };
  if (codecs.isZero(data))
    return { compression: 'hole', data: withLength(new Uint8Array(LENGTH_BYTES), data) };
  if (compression === 'lzf' && data.length > LZF_LEAST_GAIN) {
    const room = data.length - LZF_LEAST_GAIN;
    if (scratch.length < room) scratch = new Uint8Array(room);
    const length = codecs.lzfCompress(data, scratch.subarray(0, room));
    if (length > 0) {
      const packed = newBuffer(LENGTH_BYTES + length);
      packed.set(scratch.subarray(0, length), LENGTH_BYTES);
      return { compression: 'lzf', data: withLength(packed, data) };
    }
  }
  return { compression: 'none', data };
}

function withLength(packed: Uint8Array, data: Uint8Array): Uint8Array {
  putUint32(packed, 0, data.length);
  return packed;
}

function digest(codecs: Codecs, checksum: 'crc32' | 'sha256', data: Uint8Array): Uint8Array {
  if (checksum === 'sha256') return codecs.sha256(data);
  const hash = new Uint8Array(HASH_BYTES.crc32);
  putUint32(hash, 0, codecs.crc32(data));
  return hash;
}

function isSameMemory(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset;
}

function isCompression(name: string): name is CompressionName {
  return name === 'none' || name === 'hole' || name === 'lzf';
}

function isChecksum(name: string): name is ChecksumName {
  return name === 'none' || name === 'crc32' || name === 'sha256';
}
