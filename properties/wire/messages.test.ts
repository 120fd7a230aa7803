import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPortError } from '../../core/ports/error.js';
import {
  decodeControlRequest,
  encodeControlRequest,
  type ControlRequest,
} from '../../core/control/requests.js';
import {
  decodeAttachReply,
  decodeFirstMessage,
  decodeHelloReply,
  encodeAttach,
  encodeAttachReply,
  encodeHello,
  encodeHelloReply,
  type Attach,
  type AttachReply,
} from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import { encodeNv, nv, type NvPair } from '../../core/wire/nv.js';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type Reply,
  type Request,
} from '../../core/wire/request-messages.js';
import { latin1 } from '../arbitraries/nv.js';

const safe = fc.maxSafeNat();
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const count = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const token = fc.uint8Array({ minLength: 16, maxLength: 16 });

function sent(pairs: readonly NvPair[]): NvList {
  const list = decodeNv(encodeNv(pairs));
  if (isPortError(list)) throw new Error(list.message);
  return list;
}

describe('messages come back as they were sent', () => {
  it('hello and its reply', () => {
    fc.assert(
      fc.property(latin1(0, 300), fc.integer({ min: 1, max: 255 }), token, (resource, version, bytes) => {
        expect(decodeFirstMessage(sent(encodeHello({ resource, version })))).toEqual({
          kind: 'hello',
          resource,
          version,
        });
        const reply = decodeHelloReply(sent(encodeHelloReply({ version, token: bytes })), 255);
        expect(reply).toEqual({ kind: 'accepted', version, token: bytes });
      }),
    );
  });

  it('attach', () => {
    const attach: fc.Arbitrary<Attach> = fc.record({
      resource: latin1(0, 300),
      token,
      virgin: fc.boolean(),
      resuid: count,
      localcnt: count,
      remotecnt: count,
    });
    fc.assert(
      fc.property(attach, (message) => {
        expect(decodeFirstMessage(sent(encodeAttach(message)))).toEqual({ kind: 'attach', ...message });
      }),
    );
  });

  it('attach reply', () => {
    const reply: fc.Arbitrary<AttachReply> = fc.record({
      datasize: safe,
      extentsize: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      localcnt: count,
      remotecnt: count,
      virgin: fc.boolean(),
      syncsrc: fc.constantFrom('primary', 'secondary', null),
      mapsize: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
    fc.assert(
      fc.property(reply, (message) => {
        const data = message.mapsize > 0 ? [nv.uint32('size', 4)] : [];
        const received = decodeAttachReply(sent([...encodeAttachReply(message), ...data]));
        expect(received).toEqual({ kind: 'attached', ...message });
      }),
    );
  });

  it('requests', () => {
    const request: fc.Arbitrary<Request> = fc.oneof(
      fc.record({
        command: fc.constant('write' as const),
        seq,
        offset: safe,
        length: safe,
        memsync: fc.boolean(),
      }),
      fc.record({
        command: fc.constantFrom('read' as const, 'delete' as const),
        seq,
        offset: safe,
        length: safe,
        memsync: fc.constant(false),
      }),
      seq.map((number): Request => ({ command: 'flush', seq: number, offset: 0, length: 0, memsync: false })),
      fc.constantFrom(null, true, false).map((insync): Request => ({ command: 'keepalive', insync })),
    );
    fc.assert(
      fc.property(request, (message) => {
        expect(decodeRequest(sent(encodeRequest(message)))).toEqual(message);
      }),
    );
  });

  it('replies', () => {
    const reply: fc.Arbitrary<Reply> = fc.record({
      seq,
      received: fc.boolean(),
      error: fc.constantFrom(null, 'EIO', 'EINVAL', 'EOPNOTSUPP', 'ENOSPC'),
    });
    fc.assert(
      fc.property(reply, (message) => {
        expect(decodeReply(sent(encodeReply(message)))).toEqual(message);
      }),
    );
  });

  it('control requests', () => {
    const names = fc.oneof(
      fc.constant('all' as const),
      fc.array(latin1(1, 254), { minLength: 1, maxLength: 60 }).filter(([first]) => first !== 'all'),
    );
    const request: fc.Arbitrary<ControlRequest> = fc.oneof(
      names.map((each): ControlRequest => ({ kind: 'status', names: each })),
      fc.record({
        kind: fc.constant('setrole' as const),
        role: fc.constantFrom('init' as const, 'primary' as const, 'secondary' as const),
        force: fc.boolean(),
        names,
      }),
    );
    fc.assert(
      fc.property(request, (message) => {
        expect(decodeControlRequest(sent(encodeControlRequest(message)))).toEqual(message);
      }),
    );
  });
});
