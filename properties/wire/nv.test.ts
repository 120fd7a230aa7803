import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPortError } from '../../core/ports/error.js';
import { decodeControlRequest } from '../../core/control/requests.js';
import { decodeRoleReply, decodeStatusReply } from '../../core/control/replies.js';
import {
  decodeAttachReply,
  decodeFirstMessage,
  decodeHelloReply,
} from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import { encodeNv, type NvPair } from '../../core/wire/nv.js';
import { readPayloadSpec } from '../../core/wire/payload.js';
import { decodeReply, decodeRequest } from '../../core/wire/request-messages.js';
import { nvPairs } from '../arbitraries/nv.js';

/** Every decoder of a message; none may throw, whatever the list holds. */
function readAsEveryMessage(list: NvList): void {
  decodeFirstMessage(list);
  decodeHelloReply(list, 2);
  decodeAttachReply(list);
  decodeRequest(list);
  decodeReply(list);
  readPayloadSpec(list);
  decodeControlRequest(list);
  decodeStatusReply(list);
  decodeRoleReply(list);
}

function decoded(bytes: Uint8Array): NvPair[] | null {
  const list = decodeNv(bytes);
  if (isPortError(list)) return null;
  readAsEveryMessage(list);
  return list.pairs();
}

describe('nv lists', () => {
  it('come back as they were encoded', () => {
    fc.assert(
      fc.property(nvPairs, (pairs) => {
        expect(decoded(encodeNv(pairs))).toEqual(pairs);
      }),
    );
  });

  it('find each name as the first pair of that name says, long lists too', () => {
    fc.assert(
      fc.property(nvPairs, (pairs) => {
        const list = decodeNv(encodeNv(pairs));
        if (isPortError(list)) throw new Error(list.message);
        for (const { name } of pairs) {
          const first = pairs.find((pair) => pair.name === name);
          expect(list.has(name)).toBe(true);
          expect(list.string(name)).toEqual(first?.type === 'string' ? first.value : null);
          expect(list.bytes(name)).toEqual(first?.type === 'uint8[]' ? first.value : null);
          expect(list.bigint(name, 'uint64')).toEqual(first?.type === 'uint64' ? first.value : null);
          expect(list.number(name, 'int16')).toEqual(first?.type === 'int16' ? first.value : null);
        }
      }),
    );
  });

  it('are refused or read, but never throw: any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decoded(bytes);
      }),
    );
  });

  it('are refused or read, but never throw: good lists with a few bytes changed, cut anywhere', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(nvPairs, fc.array(change, { maxLength: 4 }), fc.nat(), (pairs, changes, cut) => {
        const bytes = encodeNv(pairs);
        for (const [position, byte] of changes) if (bytes.length > 0) bytes[position % bytes.length] = byte;
        decoded(bytes);
        decoded(bytes.subarray(0, cut % (bytes.length + 1)));
      }),
    );
  });

  it('cut between two pairs are the pairs before the cut; cut elsewhere they are refused', () => {
    fc.assert(
      fc.property(nvPairs, fc.nat(), (pairs, at) => {
        const bytes = encodeNv(pairs);
        const cut = at % (bytes.length + 1);
        const whole = pairs
          .map((_, i) => encodeNv(pairs.slice(0, i)).length)
          .concat(bytes.length)
          .indexOf(cut);
        expect(decoded(bytes.subarray(0, cut))).toEqual(whole < 0 ? null : pairs.slice(0, whole));
      }),
    );
  });
});
