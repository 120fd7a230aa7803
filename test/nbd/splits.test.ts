/** Property: what the server does depends on the bytes of a client, never on how they were cut into pieces. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DetachedSocket, Network, Socket, SocketHandler } from '../../core/ports/network.js';
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
  readonly peerUid = null;
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

  /** The client goes away. */
  end(): void {
    this.#turns.run(() => {
      this.#handler.closed(null);
    });
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

/** One device; every client finds an empty medium. */
class Server {
  readonly #turns = new Turns();
  readonly #backing = new MemoryBacking(GEOMETRY.mediaSize);
  readonly #devices: NbdDevices;
  #asked: string[] = [];
  #adopted: CutSocket | null = null;

  constructor() {
    const network: Network = {
      dial: () => assert(false, 'not used') as never,
      listen: () => assert(false, 'not used') as never,
      resolve: () => undefined,
      adopt: (_, handler) => {
        this.#adopted = new CutSocket(this.#turns, handler);
        return this.#adopted;
      },
    };
    const clock = { now: () => 0, after: () => ({ cancel: () => undefined }) };
    const log = { write: () => undefined };
    this.#devices = new NbdDevices({ network, clock, turns: this.#turns, log });
    const device = this.#devices.create(GEOMETRY, {
      submitted: (request) => {
        this.#asked.push(`${request.command} ${String(request.offset)} ${String(request.length)}`);
        const error = request.offset === 4096 ? portError('EIO', 'bad sector') : this.#backing.apply(request);
        device.complete(request.id, error);
      },
      gone: () => undefined,
    });
  }

  /**
   * Serves one client that sends `pieces`; what the core was asked and what the client got. Sorted: the second half
   * of a request with FUA comes when the turn ends, so its place among others is a matter of pieces.
   */
  serve(pieces: readonly Uint8Array[]): Outcome {
    this.#asked = [];
    this.#backing.bytes.fill(0);
    this.#turns.run(() => {
      this.#devices.attach({ handle: null, unread: new Uint8Array(0) });
    });
    const client = this.#adopted;
    assert(client !== null, 'the client was adopted');
    for (const piece of pieces) client.arrive(piece);
    client.end();
    const medium = createHash('sha256').update(this.#backing.bytes).digest('hex');
    return { asked: this.#asked.sort(), replies: client.replies.sort(), medium };
  }
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
  const server = new Server();
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
    const whole = server.serve([script]);
    expect(whole.asked).toEqual([
      'flush 0 0',
      'flush 0 0',
      'read 0 1536',
      'read 4096 512',
      'write 1024 512',
      'write 512 512',
    ]);
    for (let place = 1; place < script.length; place++) {
      expect(server.serve(cut(script, [place]))).toEqual(whole);
    }
  });

  it('means the same byte by byte', () => {
    const bytes = Array.from(script, (byte) => Uint8Array.of(byte));
    expect(server.serve(bytes)).toEqual(server.serve([script]));
  });

  it('means the same however it is cut, whatever is asked', () => {
    const requests = fc.array(anyRequest, { maxLength: 12 });
    const places = fc.array(fc.nat(), { maxLength: 30 });
    fc.assert(
      fc.property(fc.boolean(), requests, places, (structured, asked, where) => {
        const stream = Buffer.concat([handshake(structured), ...asked]);
        expect(server.serve(cut(stream, where))).toEqual(server.serve([stream]));
      }),
      { numRuns: 60 },
    );
  });
});
