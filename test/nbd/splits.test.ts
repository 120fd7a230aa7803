/** Property: what the server does depends on the bytes of a client, never on how they were cut into pieces. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DetachedSocket, Network, Socket, SocketHandler } from '../../core/ports/network.js';
import type { DeviceRequest } from '../../core/ports/device.js';
import { Turns } from '../../core/base/turns.js';
import { assert } from '../../core/base/assert.js';
import { portError } from '../../core/ports/error.js';
import { COMMAND } from '../../native/nbd/protocol.js';
import { NbdDevices } from '../../native/nbd/server.js';
import { pattern } from '../contract/device.js';
import { MemoryBacking } from './backing.js';
import { handshake, request } from './raw.js';

const GEOMETRY = { provider: 'shared0', mediaSize: 128 << 10, sectorSize: 512 };

/** A connection whose bytes arrive in the pieces that the test says; replies go out at the end of each turn. */
class CutSocket implements Socket {
  readonly localAddress = 'N/A';
  readonly remoteAddress = 'N/A';
  /** One entry per reply. */
  readonly replies: string[] = [];
  readonly #handler: SocketHandler;
  readonly #turns: Turns;
  #queued: (readonly Uint8Array[])[] = [];
  #sentBytes = 0;
  #isPaused = true;
  #isDestroyed = false;

  constructor(turns: Turns, handler: SocketHandler) {
    this.#turns = turns;
    this.#handler = handler;
  }

  send(chunks: readonly Uint8Array[]): void {
    this.#queued.push(chunks);
  }
  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
  }
  detach(): DetachedSocket {
    return { handle: null, unread: new Uint8Array(0) };
  }
  destroy(): void {
    this.#isDestroyed = true;
  }

  arrive(piece: Uint8Array): void {
    for (let at = 0; at < piece.length && !this.#isDestroyed;) {
      assert(!this.#isPaused, 'the server reads on');
      this.#turns.run(() => {
        const target = this.#handler.target();
        const count = Math.min(target.length, piece.length - at);
        target.set(piece.subarray(at, at + count));
        this.#handler.filled(count);
        at += count;
      });
      this.#handOver();
    }
  }

  #handOver(): void {
    const queued = this.#queued;
    this.#queued = [];
    for (const chunks of queued) {
      const reply = Buffer.concat(chunks);
      this.replies.push(reply.toString('hex'));
      this.#sentBytes += reply.length;
    }
    if (queued.length === 0) return;
    this.#turns.run(() => {
      this.#handler.sent(this.#sentBytes);
    });
  }
}

interface Outcome {
  readonly asked: string[];
  readonly replies: string[];
  readonly medium: string;
}

/**
 * Serves one client that sends `pieces`; what the core was asked and what the client got. Sorted: the second half of
 * a request with FUA comes when the turn ends, so its place among others is a matter of pieces.
 */
function serve(pieces: readonly Uint8Array[]): Outcome {
  const turns = new Turns();
  const backing = new MemoryBacking(GEOMETRY.mediaSize);
  const asked: string[] = [];
  let socket: CutSocket | null = null;
  const network: Network = {
    dial: () => assert(false, 'not used') as never,
    listen: () => assert(false, 'not used') as never,
    resolve: () => undefined,
    adopt: (_, handler) => {
      socket = new CutSocket(turns, handler);
      return socket;
    },
  };
  const clock = { now: () => 0, after: () => ({ cancel: () => undefined }) };
  const devices = new NbdDevices({ network, clock, turns, log: { write: () => undefined } });
  turns.run(() => {
    const device = devices.create(GEOMETRY, {
      submitted: (asking: DeviceRequest) => {
        asked.push(`${asking.command} ${String(asking.offset)} ${String(asking.length)}`);
        const error = asking.offset === 4096 ? portError('EIO', 'bad sector') : backing.apply(asking);
        device.complete(asking.id, error);
      },
      gone: () => undefined,
    });
    devices.attach({ handle: null, unread: new Uint8Array(0) });
  });
  const attached = socket as CutSocket | null;
  assert(attached !== null, 'the client was adopted');
  for (const piece of pieces) attached.arrive(piece);
  const medium = createHash('sha256').update(backing.bytes).digest('hex');
  return { asked: asked.sort(), replies: attached.replies.sort(), medium };
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [...sorted, bytes.length].map((place, i) => bytes.subarray(sorted[i - 1] ?? 0, place));
}

/** Requests of every kind, good and bad. */
const anyRequest = fc
  .record({
    type: fc.constantFrom(...Object.values(COMMAND).filter((type) => type !== COMMAND.disconnect), 99),
    sector: fc.integer({ min: 0, max: GEOMETRY.mediaSize / 512 }),
    length: fc.constantFrom(0, 100, 512, 4096, 20_480, 66_048),
    fua: fc.boolean(),
    cookieLow: fc.nat(),
  })
  .map(({ type, sector, length, fua, cookieLow }) => {
    const header = request({ type, flags: fua ? 1 : 0, offset: sector * 512, length, cookieLow });
    return type === COMMAND.write ? Buffer.concat([header, pattern(length, cookieLow)]) : header;
  });

describe('a stream cut into pieces', () => {
  const script = Buffer.concat([
    handshake(true),
    request({ type: COMMAND.write, offset: 512, length: 512, cookieLow: 1 }),
    pattern(512, 1),
    request({ type: COMMAND.read, offset: 0, length: 1536, cookieLow: 2 }),
    request({ type: COMMAND.write, offset: 1, length: 512, cookieLow: 3 }),
    pattern(512, 2),
    request({ type: COMMAND.read, offset: 4096, length: 512, cookieLow: 4 }),
    request({ type: COMMAND.writeZeroes, flags: 1, offset: 1024, length: 512, cookieLow: 5 }),
    request({ type: COMMAND.flush, cookieLow: 6 }),
  ]);

  it('means the same at every single cut', () => {
    const whole = serve([script]);
    expect(whole.asked).toEqual([
      'flush 0 0',
      'flush 0 0',
      'read 0 1536',
      'read 4096 512',
      'write 1024 512',
      'write 512 512',
    ]);
    for (let place = 1; place < script.length; place++) {
      expect(serve(cut(script, [place]))).toEqual(whole);
    }
  });

  it('means the same byte by byte', () => {
    const bytes = Array.from(script, (byte) => Uint8Array.of(byte));
    expect(serve(bytes)).toEqual(serve([script]));
  });

  it('means the same however it is cut, whatever is asked', () => {
    const requests = fc.array(anyRequest, { maxLength: 12 });
    const places = fc.array(fc.nat(), { maxLength: 30 });
    fc.assert(
      fc.property(fc.boolean(), requests, places, (structured, asked, where) => {
        const stream = Buffer.concat([handshake(structured), ...asked]);
        expect(serve(cut(stream, where))).toEqual(serve([stream]));
      }),
      { numRuns: 60 },
    );
  });
});
