import { beforeEach, describe, expect, it } from 'vitest';
import { viewOf } from '../../core/base/bytes.js';
import { NbdClient, NbdError, connectNbd } from '../../native/nbd/client.js';
import {
  CHUNK,
  encodeBlockSizeItem,
  encodeChunk,
  encodeDataChunk,
  encodeErrorChunk,
  encodeExportItem,
  encodeGreeting,
  encodeOptionReply,
  encodeSimpleReply,
} from '../../native/nbd/protocol.js';
import { codeOf, pattern } from '../contract/device.js';

const NO_DATA = new Uint8Array(0);
const BLOCKS = { minimum: 512, preferred: 4096, maximum: 65536 };

/** What an NBD server says until the transmission phase, with structured replies. */
const HANDSHAKE = Buffer.concat([
  encodeGreeting(),
  encodeOptionReply(8, 1, NO_DATA),
  encodeOptionReply(7, 3, encodeExportItem(1 << 20, 0x16d)),
  encodeOptionReply(7, 3, encodeBlockSizeItem(BLOCKS)),
  encodeOptionReply(7, 3, Uint8Array.of(0, 77, 1, 2, 3)),
  encodeOptionReply(7, 1, NO_DATA),
]);

function written(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(viewOf(bytes));
  return bytes;
}

const simple = (cookie: number, error: number): Uint8Array =>
  written(16, (view) => {
    encodeSimpleReply(view, 0, error, 0, cookie);
  });

const data = (cookie: number, offset: number, content: Uint8Array, done = true): Uint8Array => {
  const header = written(28, (view) => {
    encodeDataChunk(view, 0, 0, cookie, offset, content.length);
    if (!done) view.setUint16(4, 0);
  });
  return Buffer.concat([header, content]);
};

const chunk = (cookie: number, type: number, payload: Uint8Array): Uint8Array => {
  const header = written(20, (view) => {
    encodeChunk(view, 0, type, 0, cookie, payload.length);
  });
  return Buffer.concat([header, payload]);
};

describe('NBD client', () => {
  let sent: Uint8Array[];
  let isDestroyed: boolean;
  let client: NbdClient;

  beforeEach(() => {
    sent = [];
    isDestroyed = false;
    client = new NbdClient(
      {
        send: (chunks) => {
          sent.push(...chunks);
        },
        destroy: () => {
          isDestroyed = true;
        },
      },
      {},
    );
  });

  async function negotiated(): Promise<void> {
    const negotiation = client.negotiate();
    client.received(HANDSHAKE);
    await negotiation;
    sent = [];
  }

  it('learns about the export, however the handshake is cut', async () => {
    const negotiation = client.negotiate();
    for (const byte of HANDSHAKE) client.received(Uint8Array.of(byte));
    await negotiation;
    expect(client.mediaSize).toBe(1 << 20);
    expect(client.flags).toBe(0x16d);
    expect(client.blocks).toEqual(BLOCKS);
  });

  it.each([
    ['something else', new Uint8Array(18), 'EPROTO'],
    ['an old server', Uint8Array.of(...encodeGreeting().subarray(0, 17), 0), 'EPROTO'],
    ['no proper reply', Buffer.concat([encodeGreeting(), new Uint8Array(20)]), 'EPROTO'],
    [
      'an unknown export',
      Buffer.concat([
        encodeGreeting(),
        encodeOptionReply(8, 1, NO_DATA),
        encodeOptionReply(7, 0x80000006, NO_DATA),
      ]),
      'ENOENT',
    ],
    [
      'a refusal',
      Buffer.concat([
        encodeGreeting(),
        encodeOptionReply(8, 1, NO_DATA),
        encodeOptionReply(7, 0x80000002, NO_DATA),
      ]),
      'EINVAL',
    ],
  ])('gives up on %s', async (_, bytes, code) => {
    const negotiation = codeOf(client.negotiate());
    client.received(bytes);
    expect(await negotiation).toBe(code);
    expect(isDestroyed).toBe(true);
  });

  it('does without structured replies where they are not known', async () => {
    const negotiation = client.negotiate();
    const refusal = encodeOptionReply(8, 0x80000001, NO_DATA);
    client.received(Buffer.concat([encodeGreeting(), refusal, HANDSHAKE.subarray(38)]));
    await negotiation;
    const read = client.read(0, 512);
    client.received(Buffer.concat([simple(0, 0), pattern(512, 1)]));
    expect(Buffer.from(await read).equals(pattern(512, 1))).toBe(true);
  });

  it('puts a read together from chunks in any order, holes between them', async () => {
    await negotiated();
    const read = client.read(4096, 2048);
    const hole = new Uint8Array(12);
    viewOf(hole).setUint32(4, 4608);
    viewOf(hole).setUint32(8, 512);
    const reply = Buffer.concat([
      data(0, 5120, pattern(1024, 2), false),
      written(20, (view) => {
        encodeChunk(view, 0, CHUNK.offsetHole, 0, 0, 12);
        view.setUint16(4, 0);
      }),
      hole,
      data(0, 4096, pattern(512, 3), false),
      chunk(0, CHUNK.none, NO_DATA),
    ]);
    for (const byte of reply) client.received(Uint8Array.of(byte));
    const expected = Buffer.concat([pattern(512, 3), Buffer.alloc(512), pattern(1024, 2)]);
    expect(Buffer.from(await read).equals(expected)).toBe(true);
  });

  it('keeps requests apart that are answered in any order', async () => {
    await negotiated();
    const first = client.read(0, 512);
    const second = codeOf(client.write(0, pattern(512, 4)));
    const third = client.flush();
    client.received(Buffer.concat([simple(2, 0), encodeErrorChunk(0, 1, 28, 'full')]));
    await third;
    expect(await second).toBe('ENOSPC');
    client.received(data(0, 0, pattern(512, 5)));
    expect(Buffer.from(await first).equals(pattern(512, 5))).toBe(true);
  });

  it('says what the server said', async () => {
    await negotiated();
    const failed = client.flush();
    client.received(encodeErrorChunk(0, 0, 5, 'the disk is gone'));
    await expect(failed).rejects.toThrow(new NbdError('EIO', 'the disk is gone'));
    const silent = client.flush();
    client.received(simple(1, 108));
    await expect(silent).rejects.toThrow(new NbdError('ESHUTDOWN', 'ESHUTDOWN'));
  });

  it.each([
    ['no reply', new Uint8Array(16)],
    ['an answer that nobody asked for', simple(7, 0)],
    ['data outside of what was asked', data(0, 4096, pattern(512, 6))],
    ['data before what was asked', data(0, 0, pattern(512, 6))],
    ['an endless text', chunk(0, CHUNK.error, new Uint8Array(70_000)).subarray(0, 20)],
  ])('breaks with a server that sends %s', async (_, bytes) => {
    await negotiated();
    const read = codeOf(client.read(512, 512));
    client.received(bytes);
    expect(await read).toBe('EPROTO');
    expect(isDestroyed).toBe(true);
    expect(await codeOf(client.flush())).toBe('EPROTO');
  });

  it('fails what is outstanding when the connection is lost', async () => {
    await negotiated();
    const outstanding = [client.read(0, 512), client.flush()].map(async (promise) => codeOf(promise));
    client.lost('reset');
    expect(await Promise.all(outstanding)).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(await codeOf(client.flush())).toBe('ECONNRESET');
    await client.ended;
  });

  it('fails the handshake when the connection is lost', async () => {
    const negotiation = codeOf(client.negotiate());
    client.lost('closed by the server');
    expect(await negotiation).toBe('ECONNRESET');
  });

  it('says goodbye, and waits for the server to close', async () => {
    await negotiated();
    const gone = client.disconnect();
    expect(viewOf(sent[0] ?? NO_DATA).getUint16(6)).toBe(2);
    client.lost('closed by the server');
    await gone;
  });

  it('tells that nobody listens', async () => {
    expect(await codeOf(connectNbd({ path: '/nonexistent/socket' }))).toBe('ENOENT');
  });
});
