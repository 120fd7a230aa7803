/**
 * Framing (core/spec/wire.md section 2): a message is a 5-byte header (version, list length), an nv list, and, where
 * the receiver expects it, raw data. The same framing serves the control socket.
 */
import { putUint32, uint32At } from '../base/bytes.js';
import { newBuffer } from '../base/slab.js';
import { nvBytes, writeNv, type NvPair } from './nv.js';

/** The highest protocol version we speak; a greater version byte in a header is fatal to the connection. */
export const PROTOCOL_VERSION = 2;
/** The version byte that every peer accepts: for the first message of a connection and for refusals. */
export const OLDEST_VERSION = 1;

export const HEADER_BYTES = 5;
/** Longest nv list taken from a replication peer, in bytes; a legal one is far shorter. */
export const MAX_LIST_BYTES = 65_536;

export interface Header {
  /** Protocol version of the sender for this message. */
  readonly version: number;
  /** Length of the nv list that follows. */
  readonly listBytes: number;
}

/** Header and nv list in one buffer; data, if any, is sent after it. */
export function encodeFrame(version: number, pairs: readonly NvPair[]): Uint8Array {
  const listBytes = nvBytes(pairs);
  const frame = newBuffer(HEADER_BYTES + listBytes);
  frame[0] = version;
  putUint32(frame, 1, listBytes);
  writeNv(pairs, frame, HEADER_BYTES);
  return frame;
}

/** Reads the first 5 bytes of `bytes`. Judging version and length is the receiver's business. */
export function decodeHeader(bytes: Uint8Array): Header {
  return { version: bytes[0] ?? 0, listBytes: uint32At(bytes, 1) };
}
