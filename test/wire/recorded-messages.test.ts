/**
 * Every message that the reference's own daemons exchanged while recording (so not the `raw` ones of a scripted peer):
 * read as a value and written again, it has the same bytes.
 */
import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import type { ResourceConfig } from '../../core/config/types.js';
import {
  decodeRoleReply,
  decodeStatusReply,
  encodeRoleReply,
  encodeStatusReply,
} from '../../core/control/replies.js';
import { decodeControlRequest, encodeControlRequest } from '../../core/control/requests.js';
import { isPortError } from '../../core/ports/error.js';
import { decodeHeader, encodeFrame, HEADER_BYTES } from '../../core/wire/frame.js';
import {
  decodeAttachReply,
  decodeFirstMessage,
  decodeHelloReply,
  encodeAttach,
  encodeAttachReply,
  encodeHello,
  encodeHelloReply,
  encodeRefusal,
} from '../../core/wire/handshake-messages.js';
import { decodeNv, type NvList } from '../../core/wire/nv-list.js';
import type { NvPair } from '../../core/wire/nv.js';
import { readPayloadSpec } from '../../core/wire/payload.js';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../core/wire/request-messages.js';
import { bytesOfHex, filesUnder, hexOf, readJsonLines } from '../interop/files.js';

const REFERENCE = fileURLToPath(new URL('../../../test/interop/reference', import.meta.url));
const DATA_FIELDS = ['compression', 'checksum', 'hash', 'size'];

interface WireLine {
  readonly conn: number;
  readonly dir: string;
  readonly hex?: string;
}

/** What the message is follows from connection, direction and its fields. */
function writtenAgain(line: WireLine, list: NvList): NvPair[] {
  const data = list.pairs().filter((pair) => DATA_FIELDS.includes(pair.name));
  return [...messageWrittenAgain(line, list), ...data];
}

function messageWrittenAgain({ conn, dir }: WireLine, list: NvList): NvPair[] {
  if (list.has('resource')) {
    const message = decodeFirstMessage(list);
    if (isPortError(message)) throw new Error(message.message);
    return message.kind === 'hello' ? encodeHello(message) : encodeAttach(message);
  }
  if (dir === 'p>s') {
    const request = decodeRequest(list);
    if (isPortError(request) || request.command === 'rejected') throw new Error('not a request');
    return encodeRequest(request);
  }
  if (conn === 0 && list.has('datasize')) {
    const reply = decodeAttachReply(list);
    if (isPortError(reply) || reply.kind !== 'attached') throw new Error('not an attach reply');
    return encodeAttachReply(reply);
  }
  if (conn === 0 || list.has('errmsg')) {
    const reply = decodeHelloReply(list, 2);
    if (isPortError(reply)) throw new Error(reply.message);
    return reply.kind === 'refused' ? encodeRefusal(reply.message, reply.wait) : encodeHelloReply(reply);
  }
  return encodeReply(decodeReply(list));
}

function listIn(message: Uint8Array): NvList {
  const list = decodeNv(message.subarray(HEADER_BYTES));
  if (isPortError(list)) throw new Error(list.message);
  return list;
}

describe('recorded replication messages', () => {
  const files = filesUnder(REFERENCE, 'wire', '.jsonl').filter(
    (file) => !/raw|padding|resuid-mismatch|split-brain/.test(file),
  );

  it.each(files)('%s', (file) => {
    const lines = readJsonLines<WireLine>(REFERENCE, file).filter(({ hex }) => hex !== undefined);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const message = bytesOfHex(line.hex ?? '');
      const list = listIn(message);
      expect(isPortError(readPayloadSpec(list))).toBe(false);
      expect(hexOf(encodeFrame(decodeHeader(message).version, writtenAgain(line, list)))).toBe(line.hex);
    }
  });
});

describe('recorded control messages', () => {
  interface ControlLine {
    readonly case: string;
    readonly request_hex?: string;
    readonly reply_hex?: string;
  }
  const NOT_SENT: Pick<ResourceConfig, 'timeout' | 'exec' | 'metaflush'> = {
    timeout: 20,
    exec: '',
    metaflush: true,
  };

  function replyWrittenAgain(kind: string, list: NvList): NvPair[] {
    if (kind === 'setrole')
      return encodeRoleReply(
        decodeRoleReply(list).entries.map((entry) => entry as typeof entry & { previous: 'init' }),
      );
    return encodeStatusReply(
      decodeStatusReply(list).entries.map((entry) => {
        if (entry.kind === 'error') return entry;
        const { counters, status, localCopy, exported } = entry;
        return {
          kind: 'status',
          resource: {
            ...entry,
            ...NOT_SENT,
            name: entry.resource,
            sourceaddr: entry.sourceaddr ?? '',
          } as never,
          role: entry.role as 'init',
          workerpid: entry.workerpid,
          worker: status === null ? null : { ...counters, status: status as 'complete', localCopy, exported },
        };
      }),
    );
  }

  it.each(filesUnder(REFERENCE, 'control', '.jsonl'))('%s', (file) => {
    const lines = readJsonLines<ControlLine>(REFERENCE, file).filter((line) => !line.case.startsWith('raw'));
    for (const { request_hex, reply_hex } of lines) {
      if (request_hex === undefined || reply_hex === undefined) continue;
      const request = decodeControlRequest(listIn(bytesOfHex(request_hex)));
      if (isPortError(request) || request.kind === 'invalid') throw new Error('not a request');
      expect(hexOf(encodeFrame(2, encodeControlRequest(request)))).toBe(request_hex);
      const reply = listIn(bytesOfHex(reply_hex));
      if (!reply.has('error'))
        expect(hexOf(encodeFrame(2, replyWrittenAgain(request.kind, reply)))).toBe(reply_hex);
    }
  });
});
