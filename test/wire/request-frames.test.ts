import { describe, expect, test } from 'vitest';
import type { ChecksumName, CompressionName } from '../../core/config/types.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { payloadFields, type PayloadSpec } from '../../core/wire/payload.js';
import { replyFrame, requestFrame } from '../../core/wire/request-frames.js';
import { encodeReply, encodeRequest, type IoCommand } from '../../core/wire/request-messages.js';

const COMMANDS: readonly IoCommand[] = ['read', 'write', 'delete', 'flush'];
const COMPRESSIONS: readonly CompressionName[] = ['none', 'hole', 'lzf'];
const CHECKSUMS: readonly ChecksumName[] = ['none', 'crc32', 'sha256'];
const HASH_BYTES = { none: 0, crc32: 4, sha256: 32 };
/** The first of a kind makes the template, the second one uses it. */
const NUMBERS = [
  [1, 0, 512],
  [Number.MAX_SAFE_INTEGER, 2 ** 40 + 4096, 131_072],
  [2 ** 32, 2 ** 32 - 512, 2 ** 33],
] as const;

function payloads(fill: number): (PayloadSpec | null)[] {
  const specs = COMPRESSIONS.flatMap((compression) =>
    CHECKSUMS.map((checksum) => ({
      size: 512 + fill,
      compression,
      checksum,
      hash: new Uint8Array(HASH_BYTES[checksum]).fill(fill),
    })),
  );
  return [null, ...specs];
}

function fieldsOf(payload: PayloadSpec | null) {
  return payload === null ? [] : payloadFields(payload);
}

describe('a frame made from a template is what the list of pairs encodes to', () => {
  test.each(COMMANDS)('%s', (command) => {
    for (const version of [1, 2])
      for (const memsync of [false, true])
        for (const [index, [seq, offset, length]] of NUMBERS.entries())
          for (const payload of payloads(index + 1)) {
            const request = { command, seq, offset, length, memsync };
            const pairs = [...encodeRequest(request), ...fieldsOf(payload)];
            expect(requestFrame(version, request, payload)).toEqual(encodeFrame(version, pairs));
          }
  });

  test.each([null, 'EIO', 'ESTALE'])('a reply, error %s', (error) => {
    for (const version of [1, 2])
      for (const received of [false, true])
        for (const [index, [seq]] of NUMBERS.entries())
          for (const payload of error === null ? payloads(index + 1) : [null]) {
            const reply = { seq, received, error };
            const pairs = [...encodeReply(reply), ...fieldsOf(payload)];
            expect(replyFrame(version, reply, payload)).toEqual(encodeFrame(version, pairs));
          }
  });
});

test('frames do not share memory', () => {
  const request = { command: 'read', seq: 7, offset: 0, length: 512, memsync: false } as const;
  const first = requestFrame(2, request, null);
  const copy = first.slice();
  requestFrame(2, { ...request, seq: 8 }, null);
  expect(first).toEqual(copy);
});

test('a number that the wire cannot hold is a bug', () => {
  const request = { command: 'read', seq: 1, offset: -512, length: 512, memsync: false } as const;
  expect(() => requestFrame(2, request, null)).toThrow('nv uint64 of -512');
});
