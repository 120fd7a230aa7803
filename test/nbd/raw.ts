/** Speaking NBD by hand: requests as bytes, and what came back. */
import type { RequestHeader } from '../../native/nbd/protocol.js';
import type { MemoryWorld, RawClient } from './memory-world.js';
import { expect } from 'vitest';
import { viewOf } from '../../core/base/bytes.js';
import {
  OPTION,
  encodeClientFlags,
  encodeInfoRequest,
  encodeOption,
  encodeRequest,
} from '../../native/nbd/protocol.js';

const COOKIE_HIGH = 0xabcdef01;
const NO_DATA = new Uint8Array(0);

export interface Answer {
  readonly cookie: number;
  /** 0: success. */
  readonly error: number;
  readonly data: Buffer;
}

export function request(header: Partial<RequestHeader>): Uint8Array {
  const bytes = new Uint8Array(28);
  const empty = { flags: 0, type: 0, cookieHigh: COOKIE_HIGH, cookieLow: 0, offset: 0, length: 0 };
  encodeRequest(viewOf(bytes), 0, { ...empty, ...header });
  return bytes;
}

/** The bytes of a client up to GO. */
export function handshake(structured: boolean): Uint8Array {
  return Buffer.concat([
    encodeClientFlags(3),
    structured ? encodeOption(OPTION.structuredReply, NO_DATA) : NO_DATA,
    encodeOption(OPTION.go, encodeInfoRequest('', [])),
  ]);
}

/** A client in the transmission phase. */
export function transmitting(world: MemoryWorld, structured = false): RawClient {
  const client = world.connectRaw();
  client.send(handshake(structured));
  world.scheduler.runFor(5);
  client.take();
  return client;
}

/** Decodes simple replies; `lengths` says how long the data of successful reads is, by cookie. */
export function simpleReplies(client: RawClient, lengths: Readonly<Record<number, number>> = {}): Answer[] {
  const bytes = client.take();
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes.readUInt32BE(at)).toBe(0x67446698);
    expect(bytes.readUInt32BE(at + 8)).toBe(COOKIE_HIGH);
    const [error, cookie] = [bytes.readUInt32BE(at + 4), bytes.readUInt32BE(at + 12)];
    const length = error === 0 ? (lengths[cookie] ?? 0) : 0;
    answers.push({ cookie, error, data: bytes.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return answers;
}
