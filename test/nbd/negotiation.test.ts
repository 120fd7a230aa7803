import { beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, viewOf } from '../../core/base/bytes.js';
import { encodeClientFlags, encodeInfoRequest, encodeOption } from '../../native/nbd/protocol.js';
import { MemoryWorld } from './memory-world.js';
import type { RawClient } from './memory-world.js';

const GEOMETRY = { provider: 'shared0', mediaSize: 8 << 20, sectorSize: 4096 };
const ACK = { type: 1, data: '' };

interface OptionReply {
  type: number;
  data: string;
}

describe('handshake', () => {
  let world: MemoryWorld;
  let client: RawClient;

  beforeEach(() => {
    world = new MemoryWorld();
    world.run(() => {
      world.devices.create(GEOMETRY, { submitted: () => undefined, gone: () => undefined });
    });
    client = world.connectRaw();
    client.take();
  });

  /** Sends an option and decodes the replies to it. */
  function ask(option: number, data: Uint8Array = new Uint8Array(0)): OptionReply[] {
    client.send(encodeOption(option, data));
    world.scheduler.runFor(5);
    const bytes = client.take();
    const replies: OptionReply[] = [];
    for (let at = 0; at < bytes.length;) {
      expect(bytes.readUInt32BE(at)).toBe(0x0003e889);
      expect(bytes.readUInt32BE(at + 8)).toBe(option);
      const length = bytes.readUInt32BE(at + 16);
      const data = bytes.subarray(at + 20, at + 20 + length).toString('latin1');
      replies.push({ type: bytes.readUInt32BE(at + 12), data });
      at += 20 + length;
    }
    return replies;
  }

  function sendFlags(flags: number): void {
    client.send(encodeClientFlags(flags));
    world.scheduler.runFor(5);
  }

  const text = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('latin1');
  const numbers = (bytes: number, ...values: readonly number[]): Uint8Array => {
    const encoded = new Uint8Array(bytes * values.length);
    values.forEach((value, i) => {
      if (bytes === 2) viewOf(encoded).setUint16(2 * i, value);
      else viewOf(encoded).setUint32(4 * i, value);
    });
    return encoded;
  };
  const exportItem = (flags: number): OptionReply => ({
    type: 3,
    data: text(numbers(2, 0), numbers(4, 0, 8 << 20), numbers(2, flags)),
  });
  const blockItem = { type: 3, data: text(numbers(2, 3), numbers(4, 4096, 1 << 20, 32 << 20)) };
  // has-flags, flush, FUA, trim, write-zeroes, multi-conn
  const FLAGS = 1 | 4 | 8 | 32 | 64 | 256;

  it('lists the one export', () => {
    sendFlags(3);
    expect(ask(3)).toEqual([{ type: 2, data: text(numbers(4, 7), bytesOf('shared0')) }, ACK]);
    expect(ask(3, Uint8Array.of(1))[0]?.type).toBe(0x80000003);
  });

  it('tells size, flags and block sizes for INFO and GO', () => {
    sendFlags(3);
    expect(ask(6, encodeInfoRequest('shared0', []))).toEqual([exportItem(FLAGS), blockItem, ACK]);
    expect(ask(7, encodeInfoRequest('', [3]))).toEqual([exportItem(FLAGS), blockItem, ACK]);
  });

  it('tells name and description when asked', () => {
    sendFlags(3);
    expect(ask(6, encodeInfoRequest('', [1, 2])).slice(2)).toEqual([
      { type: 3, data: text(numbers(2, 1), bytesOf('shared0')) },
      { type: 3, data: text(numbers(2, 2), bytesOf('HAST provider hast/shared0')) },
      ACK,
    ]);
  });

  it('announces unfragmented reads once structured replies are agreed', () => {
    sendFlags(3);
    expect(ask(8, Uint8Array.of(0))[0]?.type).toBe(0x80000003);
    expect(ask(8)).toEqual([ACK]);
    expect(ask(6, encodeInfoRequest('', []))[0]).toEqual(exportItem(FLAGS | 128));
  });

  it('refuses unknown exports and options, TLS and malformed data, and goes on', () => {
    sendFlags(3);
    expect(ask(7, encodeInfoRequest('other', []))[0]?.type).toBe(0x80000006);
    expect(ask(6, encodeInfoRequest('other', []))[0]?.type).toBe(0x80000006);
    expect(ask(6, Uint8Array.of(0))[0]?.type).toBe(0x80000003);
    expect(ask(5)[0]?.type).toBe(0x80000002);
    expect(ask(10, new Uint8Array(60_000))[0]?.type).toBe(0x80000001);
    expect(ask(4711)[0]?.type).toBe(0x80000001);
    expect(ask(7, encodeInfoRequest('shared0', [])).at(-1)).toEqual(ACK);
  });

  it.each([
    ['with padding', 0, 134],
    ['without', 3, 10],
  ])('answers EXPORT_NAME %s', (_, flags, length) => {
    sendFlags(flags);
    client.send(encodeOption(1, bytesOf('shared0')));
    world.scheduler.runFor(5);
    const answer = client.take();
    expect(answer).toHaveLength(length);
    expect(answer.readBigUInt64BE(0)).toBe(8n << 20n);
    expect(answer.readUInt16BE(8)).toBe(FLAGS);
    expect(client.isClosed).toBe(false);
  });

  it('closes on EXPORT_NAME of an unknown export, which cannot be refused', () => {
    sendFlags(3);
    client.send(encodeOption(1, bytesOf('other')));
    world.scheduler.runFor(5);
    expect(client.isClosed).toBe(true);
  });

  it('acknowledges ABORT and closes', () => {
    sendFlags(3);
    expect(ask(2)).toEqual([ACK]);
    expect(client.isClosed).toBe(true);
    expect(world.log.lines).toEqual([]);
  });

  it.each([
    ['flags of the future', () => encodeClientFlags(4), 'its handshake flags 0x4 are not known'],
    ['something else than an option', () => new Uint8Array(20), 'it does not speak newstyle NBD'],
    [
      'an endless option',
      () => Buffer.concat([encodeClientFlags(3), encodeOption(3, new Uint8Array(70_000)).subarray(0, 16)]),
      'its option of 70000 bytes is too long',
    ],
  ])('drops a client that sends %s, and says so', (_, bytes, why) => {
    client.send(bytes());
    world.scheduler.runFor(5);
    expect(client.isClosed).toBe(true);
    expect(world.log.lines).toEqual([{ level: 'warning', text: `NBD client was disconnected: ${why}.` }]);
    expect(world.connectRaw().isClosed).toBe(false);
  });

  it('closes on a client that never comes to an end', () => {
    sendFlags(3);
    for (let i = 0; i < 300; i++) client.send(encodeOption(3, new Uint8Array(0)));
    world.scheduler.runFor(50);
    expect(client.isClosed).toBe(true);
  });

  it('turns clients away while there is no device', () => {
    const empty = new MemoryWorld();
    const early = empty.connectRaw();
    expect(early.isClosed).toBe(true);
    expect(early.take()).toHaveLength(0);
  });
});
