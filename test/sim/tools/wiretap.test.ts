import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../core/base/bytes.js';
import { encodeFrame } from '../../../core/wire/frame.js';
import {
  encodeAttach,
  encodeAttachReply,
  encodeHello,
  encodeHelloReply,
  encodeRefusal,
} from '../../../core/wire/handshake-messages.js';
import { nv } from '../../../core/wire/nv.js';
import { encodeReply, encodeRequest } from '../../../core/wire/request-messages.js';
import { ConnectionTap, type ChannelTap } from '../../../sim/tools/wiretap.js';

const token = new Uint8Array(16);
const hello = encodeFrame(1, encodeHello({ resource: 'r0', version: 2 }));
const attach = encodeFrame(
  2,
  encodeAttach({ resource: 'r0', token, virgin: true, resuid: 0xabcdef12n, localcnt: 1n, remotecnt: 0n }),
);

function say(tap: ChannelTap, bytes: Uint8Array): readonly string[] {
  return tap.sent(bytes).map(({ text }) => text);
}

function hear(tap: ChannelTap, bytes: number): readonly string[] {
  return tap.arrived(bytes).map(({ text }) => text);
}

describe('wiretap', () => {
  it('knows the handshakes of both connections', () => {
    const a = new ConnectionTap(new Map());
    expect(a.wire).toBeNull();
    expect(say(a.there, hello)).toEqual(['hello r0, version 2']);
    expect(a.wire).toBe('A');
    expect(say(a.back, encodeFrame(2, encodeHelloReply({ version: 2, token })))).toEqual([
      'welcome, version 2',
    ]);
    const standing = { datasize: 16_384, extentsize: 4096, localcnt: 0n, remotecnt: 1n, virgin: false };
    const map = new Uint8Array(512);
    map.set([0b1101]);
    const pairs = encodeAttachReply({ ...standing, syncsrc: 'primary', mapsize: map.length });
    const reply = encodeFrame(2, [...pairs, nv.uint32('size', map.length)]);
    expect(say(a.back, reply)).toEqual([]);
    expect(say(a.back, map)).toEqual([
      'attached, counters 0/1, the primary has the good data, dirty extents 0 2..3',
    ]);

    const b = new ConnectionTap(new Map());
    expect(say(b.there, attach)).toEqual(['attach virgin, resuid abcd..., counters 1/0']);
    expect(b.wire).toBe('B');
  });

  it('reads requests with their data, and replies with what they answer', () => {
    const requests = new Map();
    const a = new ConnectionTap(requests);
    const b = new ConnectionTap(requests);
    a.there.sent(hello);
    b.there.sent(attach);
    const write = encodeRequest({ command: 'write', seq: 7, offset: 1024, length: 512, memsync: true });
    const frame = encodeFrame(2, [...write, nv.uint32('size', 512)]);
    expect(say(a.there, frame)).toEqual([]);
    const data = new Uint8Array(512).fill(7);
    const [message] = a.there.sent(data);
    expect(message).toEqual({
      text: 'WRITE (memsync)',
      kind: 'request',
      seq: 7,
      range: { offset: 1024, length: 512 },
      command: 'write',
      data,
    });
    expect(b.back.sent(encodeFrame(2, encodeReply({ seq: 7, received: true, error: null })))).toEqual([
      { ...message, text: 'WRITE received', kind: 'reply', data: null },
    ]);
    expect(say(b.back, encodeFrame(2, encodeReply({ seq: 7, received: false, error: 'EIO' })))).toEqual([
      'WRITE failed with EIO',
    ]);
    expect(say(b.back, encodeFrame(2, encodeReply({ seq: 8, received: false, error: null })))).toEqual([
      'reply done',
    ]);
  });

  it('tells the arrival of a message when its last byte arrives, however it was cut', () => {
    const { there } = new ConnectionTap(new Map());
    const keepalive = encodeFrame(2, encodeRequest({ command: 'keepalive', insync: false }));
    there.sent(hello);
    for (const byte of keepalive) there.sent(Uint8Array.of(byte));
    expect(hear(there, hello.length - 1)).toEqual([]);
    expect(hear(there, 1)).toEqual(['hello r0, version 2']);
    expect(hear(there, keepalive.length)).toEqual(['KEEPALIVE, your copy is incomplete']);
    expect(hear(there, 100)).toEqual([]);
  });

  it('repeats refusals and reports what is no message', () => {
    const a = new ConnectionTap(new Map());
    a.there.sent(hello);
    expect(say(a.back, encodeFrame(2, encodeRefusal('No access to the resource.', false)))).toEqual([
      'refused: No access to the resource.',
    ]);
    const noise = new ConnectionTap(new Map());
    expect(noise.there.sent(bytesOf('GET / HTTP/1.0'))).toMatchObject([{ kind: 'unknown' }]);
    expect(a.there.sent(encodeFrame(2, [nv.uint8('cmd', 99)]))).toMatchObject([{ kind: 'unknown' }]);
  });
});
