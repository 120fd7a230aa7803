import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../core/wire/frame.js';
import { nv, type NvPair } from '../../core/wire/nv.js';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type IoRequest,
  type Reply,
  type Request,
} from '../../core/wire/request-messages.js';
import { hex } from './hex.js';
import { listOf } from './list-of.js';

const WRITE: IoRequest = { command: 'write', seq: 7, offset: 0x20000, length: 4096, memsync: true };
const READ: IoRequest = { command: 'read', seq: 9, offset: 0x20000, length: 4096, memsync: false };
const DONE: Reply = { seq: 7, received: false, error: null };

describe('derived examples of the specification', () => {
  const EXAMPLES: [string, NvPair[], string][] = [
    [
      'keepalive',
      encodeRequest({ command: 'keepalive', insync: null }),
      '02 16000000 02 04 01000000 | 636d640000000000 | 0500000000000000',
    ],
    [
      'memsync write, its data fields left out',
      encodeRequest(WRITE),
      `02 6e000000
       02 04 01000000 | 636d640000000000 | 0200000000000000
       08 04 08000000 | 7365710000000000 | 0700000000000000
       08 07 08000000 | 6f66667365740000 | 0000020000000000
       08 07 08000000 | 6c656e6774680000 | 0010000000000000
       02 08 01000000 | 6d656d73796e6300 | 0100000000000000`,
    ],
    [
      'read',
      encodeRequest(READ),
      `02 58000000
       02 04 01000000 | 636d640000000000 | 0100000000000000
       08 04 08000000 | 7365710000000000 | 0900000000000000
       08 07 08000000 | 6f66667365740000 | 0000020000000000
       08 07 08000000 | 6c656e6774680000 | 0010000000000000`,
    ],
    [
      'received',
      encodeReply({ ...DONE, received: true }),
      `02 34000000  08 04 08000000 | 7365710000000000 | 0700000000000000
                    01 09 01000000 | 72656365697665640000000000000000 | 0100000000000000`,
    ],
    ['done', encodeReply(DONE), '02 16000000  08 04 08000000 | 7365710000000000 | 0700000000000000'],
    [
      'failed',
      encodeReply({ ...DONE, error: 'EIO' }),
      `02 2c000000  08 04 08000000 | 7365710000000000 | 0700000000000000
                    03 06 02000000 | 6572726f72000000 | 0500000000000000`,
    ],
  ];
  it.each(EXAMPLES)('%s', (_, pairs, bytes) => {
    expect(encodeFrame(2, pairs)).toEqual(hex(bytes));
  });
});

describe('requests', () => {
  const read = (...pairs: NvPair[]): unknown => decodeRequest(listOf(pairs));

  const REQUESTS: Request[] = [
    READ,
    WRITE,
    { command: 'delete', seq: 2 ** 53 - 1, offset: 0, length: 2 ** 52, memsync: false },
    { command: 'flush', seq: 1, offset: 0, length: 0, memsync: false },
    { command: 'keepalive', insync: null },
    { command: 'keepalive', insync: false },
    { command: 'keepalive', insync: true },
  ];
  it.each(REQUESTS)('come back as they were sent: $command', (request) => {
    expect(read(...encodeRequest(request))).toEqual(request);
  });

  const request = (changes: Record<string, NvPair | null>): NvPair[] =>
    encodeRequest(WRITE)
      .map((pair) => (pair.name in changes ? (changes[pair.name] ?? null) : pair))
      .filter((pair) => pair !== null);

  it('are fatal with an unknown command', () => {
    for (const cmd of [null, nv.uint8('cmd', 0), nv.uint8('cmd', 6), nv.uint32('cmd', 2)])
      expect(read(...request({ cmd }))).toMatchObject({ code: 'EINVAL', message: /unknown command/ });
  });

  it('are rejected with seq 0 when theirs cannot be echoed', () => {
    for (const seq of [null, nv.uint64('seq', 0), nv.uint64('seq', 2n ** 53n), nv.uint32('seq', 7)])
      expect(read(...request({ seq }))).toMatchObject({
        command: 'rejected',
        rejected: 'write',
        seq: 0,
        memsync: true,
      });
  });

  it('are rejected with their seq when offset or length is unusable', () => {
    const unusable = [
      request({ offset: null }),
      request({ length: null }),
      request({ offset: nv.uint64('offset', 2n ** 64n - 512n) }),
      request({ length: nv.int64('length', 4096) }),
    ];
    for (const pairs of unusable)
      expect(read(...pairs)).toMatchObject({
        command: 'rejected',
        seq: 7,
        error: { code: 'EINVAL', message: /write request: '(offset|length)'/ },
      });
  });

  it('need no offset and length to flush', () => {
    expect(read(nv.uint8('cmd', 4), nv.uint64('seq', 3), nv.uint64('offset', 2n ** 60n))).toEqual({
      command: 'flush',
      seq: 3,
      offset: 0,
      length: 0,
      memsync: false,
    });
  });

  it('are memsync whatever the value says, but only to write', () => {
    expect(read(...request({ memsync: nv.string('memsync', 'no') }))).toMatchObject({ memsync: true });
    expect(read(...encodeRequest(READ), nv.uint8('memsync', 1))).toMatchObject({ memsync: false });
  });
});

describe('replies', () => {
  const read = (...pairs: NvPair[]): Reply => decodeReply(listOf(pairs));

  it('come back as they were sent', () => {
    const replies: Reply[] = [DONE, { ...DONE, received: true }, { seq: 1, received: true, error: 'EINVAL' }];
    for (const reply of replies) expect(read(...encodeReply(reply))).toEqual(reply);
  });

  it('are success when the error is 0, missing or of another type', () => {
    expect(read(nv.uint64('seq', 7), nv.int16('error', 0)).error).toBeNull();
    expect(read(nv.uint64('seq', 7), nv.int32('error', 5)).error).toBeNull();
    expect(read(nv.uint64('seq', 7), nv.int16('error', 45)).error).toBe('EOPNOTSUPP');
    expect(read(nv.uint64('seq', 7), nv.int16('error', -5)).error).toBe('EIO');
  });

  it("are nobody's without a usable seq", () => {
    expect(read(nv.int16('error', 22)).seq).toBe(0);
    expect(read(nv.uint64('seq', 2n ** 53n)).seq).toBe(0);
  });
});
