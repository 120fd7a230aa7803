import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../core/base/bytes.js';
import { encodeNv, nv } from '../../core/wire/nv.js';
import { MessageReader, type Following } from '../../core/wire/reader.js';

const LIMITS = { maxVersion: 2, maxListBytes: 4096 };

/** One message as a peer sends it, and what the receiver does with the bytes behind it. */
interface Sent {
  readonly version: number;
  readonly list: Uint8Array;
  readonly data: Uint8Array;
  readonly how: 'payload' | 'skip' | 'nothing';
}

interface Heard {
  readonly version: number;
  readonly list: Uint8Array;
  /** Null until it is complete; empty when there is none, or when it was skipped. */
  payload: Uint8Array | null;
}

const list = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.uint8Array({ maxLength: 300 }),
  fc.nat(4000).map((length) => encodeNv([nv.string('text', 'x'.repeat(length))])),
);
const data = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 200 }),
  fc.integer({ min: 1, max: 20_000 }).map((length) => new Uint8Array(length).map((_, at) => at)),
);
const following = fc.oneof(
  fc.constant({ data: new Uint8Array(0), how: 'nothing' as const }),
  fc.record({ data, how: fc.constantFrom('payload' as const, 'skip' as const) }),
);
const message: fc.Arbitrary<Sent> = fc
  .tuple(fc.integer({ min: 0, max: LIMITS.maxVersion }), list, following)
  .map(([version, bytes, behind]) => ({ version, list: bytes, ...behind }));
const messages = fc.array(message, { minLength: 1, maxLength: 6 });
/** Lengths of consecutive pieces, used in turn until the stream is used up. */
const pieces = fc.oneof(
  fc.constant([1]),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 600 }), fc.constant(30_000)), {
    minLength: 1,
    maxLength: 12,
  }),
);

function header(version: number, listBytes: number): Uint8Array {
  const bytes = new Uint8Array(5);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint32(1, listBytes, true);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function streamOf(sent: readonly Sent[]): Uint8Array {
  return concat(sent.flatMap((one) => [header(one.version, one.list.length), one.list, one.data]));
}

/** A reader whose owner knows what follows each list, as the real ones learn from the list itself. */
class Receiver {
  readonly heard: Heard[] = [];
  readonly violations: string[] = [];
  readonly reader: MessageReader;
  /** Holds the reader after this many more deliveries. */
  holdAfter = Infinity;
  held = false;
  readonly #sent: readonly Sent[];
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(sent: readonly Sent[]) {
    this.#sent = sent;
    this.reader = new MessageReader(LIMITS, {
      listReceived: (version, bytes) => this.#listReceived(version, bytes),
      payloadReceived: () => {
        this.#payloadReceived();
      },
      violated: (reason) => {
        this.violations.push(reason);
      },
    });
  }

  release(): void {
    this.held = false;
    this.reader.release();
  }

  #listReceived(version: number, bytes: Uint8Array): Following {
    expect(this.held).toBe(false);
    expect(this.heard.every(({ payload }) => payload !== null)).toBe(true);
    const expected = this.#sent[this.heard.length];
    if (expected === undefined) throw new Error('more was heard than was sent');
    this.#buffer = new Uint8Array(expected.how === 'payload' ? expected.data.length : 0);
    // The list is valid only during the call.
    this.heard.push({
      version,
      list: bytes.slice(),
      payload: expected.how === 'nothing' ? this.#buffer : null,
    });
    this.#delivered();
    if (expected.how === 'nothing') return null;
    return expected.how === 'skip' ? { skip: expected.data.length } : this.#buffer;
  }

  #payloadReceived(): void {
    expect(this.held).toBe(false);
    const last = this.heard.at(-1);
    if (last === undefined) throw new Error('a payload without a message');
    expect(last.payload).toBeNull();
    last.payload = this.#buffer.slice();
    this.#delivered();
  }

  #delivered(): void {
    this.holdAfter--;
    if (this.holdAfter > 0) return;
    this.held = true;
    this.reader.hold();
  }
}

/** Gives the reader the stream piece by piece, as a socket does. */
function deliver(receiver: Receiver, stream: Uint8Array, lengths: readonly number[]): void {
  let at = 0;
  for (let turn = 0; at < stream.length; turn++) {
    const target = receiver.reader.target();
    if (target.length === 0) throw new Error('no room for the next byte');
    const wanted = lengths[turn % lengths.length] ?? 1;
    const part = stream.subarray(at, at + Math.min(wanted, target.length));
    target.set(part);
    receiver.reader.filled(part.length);
    at += part.length;
  }
}

function expectBytes(found: Uint8Array | null | undefined, wanted: Uint8Array): void {
  expect(sameBytes(found ?? new Uint8Array(1), wanted)).toBe(true);
}

function expectAll(receiver: Receiver, sent: readonly Sent[]): void {
  expect(receiver.heard).toHaveLength(sent.length);
  sent.forEach((one, i) => {
    const heard = receiver.heard[i];
    expect(heard?.version).toBe(one.version);
    expectBytes(heard?.list, one.list);
    expectBytes(heard?.payload, one.how === 'payload' ? one.data : new Uint8Array(0));
  });
}

describe('message reader', () => {
  it('delivers whole messages and payloads however the stream is cut', () => {
    fc.assert(
      fc.property(messages, pieces, (sent, lengths) => {
        const receiver = new Receiver(sent);
        deliver(receiver, streamOf(sent), lengths);
        expect(receiver.violations).toEqual([]);
        expectAll(receiver, sent);
      }),
    );
  });

  it('delivers nothing while held, keeps what arrives, and loses nothing', () => {
    fc.assert(
      fc.property(messages, pieces, fc.integer({ min: 1, max: 5 }), (sent, lengths, every) => {
        const receiver = new Receiver(sent);
        receiver.holdAfter = every;
        deliver(receiver, streamOf(sent), lengths);
        for (let i = 0; receiver.held && i < 100; i++) {
          receiver.holdAfter = every;
          receiver.release();
        }
        expectAll(receiver, sent);
      }),
    );
  });

  it('delivers only what arrived in full (I23)', () => {
    fc.assert(
      fc.property(messages, pieces, fc.nat(), (sent, lengths, cut) => {
        const receiver = new Receiver(sent);
        const stream = streamOf(sent);
        const arrived = cut % (stream.length + 1);
        deliver(receiver, stream.subarray(0, arrived), lengths);
        let end = 0;
        for (const [i, one] of sent.entries()) {
          end += 5 + one.list.length;
          expect(receiver.heard.length > i).toBe(arrived >= end);
          end += one.data.length;
          expect((receiver.heard[i]?.payload ?? null) !== null).toBe(arrived >= end);
        }
      }),
    );
  });

  it('ends at a version or length that cannot be, once, whatever follows', () => {
    const bad = fc.oneof(
      fc.integer({ min: LIMITS.maxVersion + 1, max: 255 }).map((version) => header(version, 0)),
      fc.integer({ min: LIMITS.maxListBytes + 1, max: 0xffff_ffff }).map((length) => header(1, length)),
    );
    fc.assert(
      fc.property(messages, bad, fc.uint8Array({ maxLength: 500 }), pieces, (sent, last, rest, lengths) => {
        const receiver = new Receiver(sent);
        deliver(receiver, concat([streamOf(sent), last, rest]), lengths);
        expect(receiver.violations).toHaveLength(1);
        expectAll(receiver, sent);
      }),
    );
  });

  it('gives up what it has not delivered, to the last byte', () => {
    fc.assert(
      fc.property(messages, fc.uint8Array({ maxLength: 400 }), pieces, (sent, rest, lengths) => {
        const receiver = new Receiver(sent);
        const whole = streamOf(sent);
        deliver(receiver, whole, lengths);
        receiver.reader.hold();
        deliver(receiver, rest, lengths);
        expect(receiver.reader.takeUnread()).toEqual(rest);
        expect(receiver.reader.takeUnread()).toHaveLength(0);
      }),
    );
  });
});
