import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../core/wire/frame.js';
import {
  decodeAttachReply,
  decodeFirstMessage,
  decodeHelloReply,
  encodeAttach,
  encodeAttachRefusal,
  encodeAttachReply,
  encodeHello,
  encodeHelloReply,
  encodeRefusal,
  notSecondary,
  resuidMismatch,
  SPLIT_BRAIN,
  type Attach,
  type AttachReply,
} from '../../core/wire/handshake-messages.js';
import { nv, type NvPair } from '../../core/wire/nv.js';
import { hex } from './hex.js';
import { listOf } from './list-of.js';

const TOKEN = hex('000102030405060708090a0b0c0d0e0f');
const ATTACH: Attach = {
  resource: 'r0',
  token: TOKEN,
  virgin: true,
  resuid: 0x1122334455667788n,
  localcnt: 0n,
  remotecnt: 0n,
};
const ATTACH_REPLY: AttachReply = {
  datasize: 1024 ** 3,
  extentsize: 2 * 1024 ** 2,
  localcnt: 0n,
  remotecnt: 0n,
  virgin: true,
  syncsrc: 'primary',
  mapsize: 0,
};

describe('derived examples of the specification', () => {
  const EXAMPLES: [string, number, NvPair[], string][] = [
    [
      'hello',
      1,
      encodeHello({ resource: 'r0', version: 2 }),
      `01 34000000
       11 09 03000000 | 7265736f757263650000000000000000 | 7230000000000000
       02 08 01000000 | 76657273696f6e00 | 0200000000000000`,
    ],
    [
      'hello reply',
      2,
      encodeHelloReply({ version: 2, token: TOKEN }),
      `02 34000000
       02 08 01000000 | 76657273696f6e00 | 0200000000000000
       0a 06 10000000 | 746f6b656e000000 | 000102030405060708090a0b0c0d0e0f`,
    ],
    [
      'attach',
      2,
      encodeAttach(ATTACH),
      `02 a4000000
       11 09 03000000 | 7265736f757263650000000000000000 | 7230000000000000
       0a 06 10000000 | 746f6b656e000000 | 000102030405060708090a0b0c0d0e0f
       01 07 01000000 | 76697267696e0000 | 0100000000000000
       08 07 08000000 | 7265737569640000 | 8877665544332211
       08 09 08000000 | 6c6f63616c636e740000000000000000 | 0000000000000000
       08 0a 08000000 | 72656d6f7465636e7400000000000000 | 0000000000000000`,
    ],
    [
      'attach reply',
      2,
      encodeAttachReply(ATTACH_REPLY),
      `02 ba000000
       07 09 08000000 | 6461746173697a650000000000000000 | 0000004000000000
       05 0b 04000000 | 657874656e7473697a65000000000000 | 0000200000000000
       08 09 08000000 | 6c6f63616c636e740000000000000000 | 0000000000000000
       08 0a 08000000 | 72656d6f7465636e7400000000000000 | 0000000000000000
       01 07 01000000 | 76697267696e0000 | 0100000000000000
       02 08 01000000 | 73796e6373726300 | 0100000000000000
       06 08 04000000 | 6d617073697a6500 | 0000000000000000`,
    ],
    [
      'busy refusal',
      2,
      encodeRefusal(notSecondary('primary'), true),
      `02 6c000000
       11 07 43000000 | 6572726d73670000
       ${Buffer.from('Remote node acts as primary for the resource and not as secondary.').toString('hex')} 00 0000000000
       02 05 01000000 | 7761697400000000 | 0100000000000000`,
    ],
  ];
  it.each(EXAMPLES)('%s', (_, version, pairs, bytes) => {
    expect(encodeFrame(version, pairs)).toEqual(hex(bytes));
  });
});

describe('first message of a connection', () => {
  const read = (...pairs: NvPair[]): unknown => decodeFirstMessage(listOf(pairs));
  const resource = nv.string('resource', 'r0');

  it('is a hello without a token', () => {
    expect(read(resource, nv.uint8('version', 2))).toEqual({ kind: 'hello', resource: 'r0', version: 2 });
  });

  it('takes a version that is missing, 0 or of another type for 1, and leaves a higher one to the caller', () => {
    expect(read(resource)).toMatchObject({ version: 1 });
    expect(read(resource, nv.uint8('version', 0))).toMatchObject({ version: 1 });
    expect(read(resource, nv.uint32('version', 2))).toMatchObject({ version: 1 });
    expect(read(resource, nv.uint8('version', 9))).toMatchObject({ version: 9 });
  });

  it('attaches with a token', () => {
    expect(read(...encodeAttach(ATTACH))).toEqual({ kind: 'attach', ...ATTACH });
    expect(read(...encodeAttach({ ...ATTACH, virgin: false }))).toMatchObject({ virgin: false });
  });

  it('reads missing counts as 0', () => {
    expect(read(resource, nv.bytes('token', TOKEN))).toEqual({
      ...ATTACH,
      kind: 'attach',
      virgin: false,
      resuid: 0n,
    });
  });

  it('is nothing without a resource or with a token of another length', () => {
    expect(read(nv.uint8('version', 2))).toMatchObject({ code: 'EINVAL', message: /resource/ });
    expect(read(nv.uint8('resource', 2))).toMatchObject({ code: 'EINVAL' });
    expect(read(resource, nv.bytes('token', TOKEN.subarray(1)))).toMatchObject({
      code: 'EINVAL',
      message: /15 bytes/,
    });
  });

  it('is a hello when the token is of another type', () => {
    expect(read(resource, nv.string('token', 'x'.repeat(15)))).toMatchObject({ kind: 'hello' });
  });

  it('keeps the token when the bytes of the list are used again', () => {
    const bytes = encodeFrame(2, encodeAttach(ATTACH));
    const read = decodeFirstMessage(listOf(encodeAttach(ATTACH)));
    bytes.fill(0xff);
    expect(read).toMatchObject({ token: TOKEN });
  });
});

describe('hello reply', () => {
  const read = (...pairs: NvPair[]): unknown => decodeHelloReply(listOf(pairs), 2);

  it('is accepted with version and token', () => {
    expect(read(...encodeHelloReply({ version: 1, token: TOKEN }))).toEqual({
      kind: 'accepted',
      version: 1,
      token: TOKEN,
    });
    expect(read(nv.bytes('token', TOKEN))).toMatchObject({ version: 1 });
    expect(read(nv.uint8('version', 0), nv.bytes('token', TOKEN))).toMatchObject({ version: 1 });
  });

  it('is an error with a version above what was offered, or without a proper token', () => {
    expect(read(nv.uint8('version', 3), nv.bytes('token', TOKEN))).toMatchObject({
      code: 'EINVAL',
      message: /version 3/,
    });
    expect(read(nv.uint8('version', 2))).toMatchObject({ code: 'EINVAL', message: /token of 0 bytes/ });
    expect(read(nv.bytes('token', TOKEN.subarray(1)))).toMatchObject({ code: 'EINVAL', message: /15/ });
  });

  it('may be a refusal', () => {
    expect(read(...encodeRefusal('Resource not configured.', false))).toEqual({
      kind: 'refused',
      message: 'Resource not configured.',
      wait: false,
    });
    expect(read(...encodeRefusal(notSecondary('primary'), true))).toMatchObject({ wait: true });
  });
});

describe('attach reply', () => {
  const read = (...pairs: NvPair[]): unknown => decodeAttachReply(listOf(pairs));
  const without = (name: string): NvPair[] =>
    encodeAttachReply(ATTACH_REPLY).filter((pair) => pair.name !== name);

  it('comes back as it was sent', () => {
    expect(read(...encodeAttachReply(ATTACH_REPLY))).toEqual({ kind: 'attached', ...ATTACH_REPLY });
    const withMap: AttachReply = { ...ATTACH_REPLY, virgin: false, syncsrc: 'secondary', mapsize: 512 };
    expect(read(...encodeAttachReply(withMap), nv.uint32('size', 4))).toEqual({
      kind: 'attached',
      ...withMap,
    });
  });

  it('has no map when no data follows, as with secondaries of 2011-2012', () => {
    const old = [...without('mapsize').slice(0, -1), nv.uint32('mapsize', 512), nv.uint8('syncsrc', 1)];
    expect(read(...old)).toMatchObject({ kind: 'attached', mapsize: 0, syncsrc: 'primary' });
    expect(read(...old, nv.uint32('size', 512))).toMatchObject({ mapsize: 512 });
  });

  it('need not name a source, nor a known one', () => {
    expect(read(...without('syncsrc'))).toMatchObject({ kind: 'attached', syncsrc: null });
    expect(read(...without('syncsrc'), nv.uint8('syncsrc', 7))).toMatchObject({ syncsrc: null });
  });

  it('is an error without sizes, or with impossible ones', () => {
    expect(read(...without('datasize'))).toMatchObject({ code: 'EINVAL', message: /datasize/ });
    expect(read(nv.int64('datasize', -1), ...without('datasize'))).toMatchObject({
      code: 'EINVAL',
      message: /datasize/,
    });
    expect(read(...without('extentsize'))).toMatchObject({ code: 'EINVAL', message: /extentsize/ });
    expect(read(nv.int32('extentsize', 0), ...without('extentsize'))).toMatchObject({ code: 'EINVAL' });
  });

  it('may be a refusal, with or without the ordinary fields', () => {
    const refusal = { kind: 'refused', message: SPLIT_BRAIN, wait: false };
    expect(read(...encodeAttachRefusal(ATTACH_REPLY, SPLIT_BRAIN))).toEqual(refusal);
    expect(read(nv.string('errmsg', SPLIT_BRAIN))).toEqual(refusal);
    expect(resuidMismatch(1n, 2n)).toBe('Resource unique ID mismatch (primary=1, secondary=2).');
  });
});
