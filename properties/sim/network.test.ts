/** Streams of bytes between two machines under any network faults, against what TCP promises. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PortError } from '../../core/ports/error.js';
import type { Socket, SocketHandler } from '../../core/ports/network.js';
import type { Channel } from '../../sim/channel.js';
import { Lan } from '../../sim/lan.js';
import type { LinkConditions } from '../../sim/link.js';
import { SimMachine } from '../../sim/machine.js';
import type { SimProcess } from '../../sim/process.js';
import { Scheduler } from '../../sim/scheduler.js';

const ADDRESS = 'tcp4://10.0.0.2:8457';
const CONNECTIONS = 2;

/** One end: sends a stream of its own, and checks the other end's. */
class End implements SocketHandler {
  socket: Socket | null = null;
  error: PortError | null = null;
  isClosed = false;
  offeredBytes = 0;
  receivedBytes = 0;
  readonly #process: SimProcess;
  readonly #connection: number;
  readonly #target: Uint8Array;

  constructor(process: SimProcess, connection: number, targetLength: number) {
    this.#process = process;
    this.#connection = connection;
    this.#target = new Uint8Array(targetLength);
  }

  send(length: number): void {
    const bytes = Uint8Array.from({ length }, (_, i) => this.#byteAt(this.offeredBytes + i));
    this.offeredBytes += length;
    this.#process.run(() => this.socket?.send([bytes.subarray(0, 10), bytes.subarray(10)]));
  }

  connected(): void {
    return;
  }

  target(): Uint8Array {
    return this.#target;
  }

  filled(bytes: number): void {
    const isRight = (byte: number, i: number): boolean => byte === this.#byteAt(this.receivedBytes + i);
    expect(this.#target.subarray(0, bytes).every(isRight)).toBe(true);
    this.receivedBytes += bytes;
  }

  sent(totalBytes: number): void {
    expect(totalBytes).toBeLessThanOrEqual(this.offeredBytes);
  }

  closed(error: PortError | null): void {
    expect(this.isClosed).toBe(false);
    this.isClosed = true;
    this.error = error;
  }

  #byteAt(position: number): number {
    return (position * 31 + (position >> 8) + this.#connection) & 0xff;
  }
}

class Wires {
  readonly scheduler = new Scheduler();
  readonly lan: Lan;
  readonly a: SimProcess;
  readonly b: SimProcess;
  readonly #dialled: End[] = [];
  readonly #accepted: End[] = [];
  readonly #silent = new Set<Channel>();

  constructor(seed: number, targetLength: number) {
    this.lan = new Lan(this.scheduler, seed);
    const boot = (name: string, ip: string) =>
      new SimMachine(this.scheduler, this.lan, this.lan.addHost(name, [ip]), [], seed).boot('main');
    const [a, b] = [boot('a', '10.0.0.1'), boot('b', '10.0.0.2')];
    this.a = a.process;
    this.b = b.process;
    const accept = (socket: Socket): End => {
      const end = new End(this.b, this.#accepted.length, targetLength);
      end.socket = socket;
      socket.resume();
      this.#accepted.push(end);
      return end;
    };
    this.b.run(() => {
      b.network.listen(ADDRESS, accept, (error) => {
        expect(error).toBeNull();
      });
    });
    for (let i = 0; i < CONNECTIONS; i++) {
      const end = new End(this.a, i, targetLength);
      this.#dialled.push(end);
      this.a.run(() => {
        end.socket = a.network.dial(ADDRESS, null, end);
      });
      this.scheduler.runFor(10);
    }
  }

  /** Who sends, and who receives, in one direction of one connection. */
  ends(connection: number, from: 'a' | 'b'): { sender: End; receiver: End } {
    const [dialled, accepted] = [this.#dialled[connection], this.#accepted[connection]];
    if (dialled === undefined || accepted === undefined) throw new Error('not connected');
    return from === 'a' ? { sender: dialled, receiver: accepted } : { sender: accepted, receiver: dialled };
  }

  channel(connection: number, from: 'a' | 'b'): Channel | undefined {
    const channels = this.lan.channels(from, from === 'a' ? 'b' : 'a');
    return channels.find(({ connection: { number } }) => number === connection + 1);
  }

  silence(channel: Channel | undefined, isSilent: boolean): void {
    if (channel === undefined) return;
    if (isSilent) {
      channel.cut();
      this.#silent.add(channel);
    } else {
      channel.heal();
      this.#silent.delete(channel);
    }
  }

  /** Lets time pass; nothing comes out of what is cut. */
  run(durationMs: number): void {
    const before = this.#counts();
    this.scheduler.runFor(durationMs);
    this.#counts().forEach(({ passed, sent }, i) => {
      expect(passed).toBeLessThanOrEqual(sent);
      if (before[i]?.isCut === true) expect(passed).toBeLessThanOrEqual(before[i].passed);
    });
  }

  /** Both connections work, unless they were reset. */
  settle(): void {
    this.lan.healAll();
    this.#silent.clear();
    this.scheduler.runFor(60_000);
    for (const { sender, receiver } of this.#directions()) {
      expect(sender.isClosed).toBe(receiver.isClosed);
      if (!receiver.isClosed) expect(receiver.receivedBytes).toBe(sender.offeredBytes);
      else expect(receiver.error?.code).toBe('ECONNRESET');
    }
  }

  /** Per direction: the bytes that have passed the network, read or not, and those that were to. */
  #counts(): { passed: number; sent: number; isCut: boolean }[] {
    return this.#directions().map(({ sender, receiver, connection, from }) => {
      const channel = this.channel(connection, from);
      const isCut = channel === undefined || channel.link.isCut || this.#silent.has(channel);
      const passed = receiver.receivedBytes + (channel?.unreadBytes ?? 0);
      return { passed, sent: sender.offeredBytes, isCut };
    });
  }

  #directions(): { sender: End; receiver: End; connection: number; from: 'a' | 'b' }[] {
    return [0, 1].flatMap((connection) =>
      (['a', 'b'] as const).map((from) => ({ ...this.ends(connection, from), connection, from })),
    );
  }
}

type Act = (wires: Wires) => void;

const from = fc.constantFrom('a' as const, 'b' as const);
const connection = fc.nat({ max: CONNECTIONS - 1 });
const conditions: fc.Arbitrary<Partial<LinkConditions>> = fc.record(
  {
    minLatencyMs: fc.nat({ max: 5 }),
    maxLatencyMs: fc.integer({ min: 5, max: 5000 }),
    spikeOneIn: fc.nat({ max: 4 }),
    spikeMs: fc.nat({ max: 1000 }),
    bytesPerMs: fc.constantFrom(1, 10, 1000, Infinity),
    fragmentOneIn: fc.nat({ max: 3 }),
    coalesceMs: fc.constantFrom(0, 1, 50),
    closeDelayMs: fc.nat({ max: 10_000 }),
  },
  { requiredKeys: [] },
);

function act<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  run: (wires: Wires, value: T) => void,
): fc.Arbitrary<Act> {
  return arbitrary.map((value) =>
    Object.assign(
      (wires: Wires) => {
        run(wires, value);
      },
      {
        [fc.toStringMethod]: () => `${name} ${fc.stringify(value)}`,
      },
    ),
  );
}

const other = { a: 'b', b: 'a' } as const;
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: act(
      'send',
      fc.tuple(connection, from, fc.integer({ min: 1, max: 3000 })),
      (wires, [i, way, length]) => {
        wires.ends(i, way).sender.send(length);
      },
    ),
  },
  {
    weight: 6,
    arbitrary: act('wait', fc.constantFrom(0.1, 1, 30, 1000), (wires, durationMs) => {
      wires.run(durationMs);
    }),
  },
  act('cut', from, (wires, way) => {
    wires.lan.cut(way, other[way]);
  }),
  act('heal', from, (wires, way) => {
    wires.lan.heal(way, other[way]);
  }),
  act('cut channel', fc.tuple(connection, from), (wires, [i, way]) => {
    wires.silence(wires.channel(i, way), true);
  }),
  act('heal channel', fc.tuple(connection, from), (wires, [i, way]) => {
    wires.silence(wires.channel(i, way), false);
  }),
  act('cut after', fc.tuple(from, fc.nat({ max: 4000 })), (wires, [way, bytes]) => {
    wires.lan.link(way, other[way]).cutAfterBytes(bytes, 'cut');
  }),
  act('reset after', fc.tuple(connection, from, fc.nat({ max: 4000 })), (wires, [i, way, bytes]) => {
    wires.channel(i, way)?.cutAfterBytes(bytes, 'reset');
  }),
  act('change', fc.tuple(from, conditions), (wires, [way, changes]) => {
    wires.lan.link(way, other[way]).change(changes);
  }),
  act('pause', fc.tuple(from, fc.integer({ min: 1, max: 5000 })), (wires, [who, ms]) => {
    wires.scheduler.after(ms, wires[who].pause());
  }),
);

describe('network, any faults', () => {
  it('every stream arrives in order and once; nothing passes a cut, everything arrives after healing', () => {
    const world = fc.tuple(fc.nat({ max: 1000 }), fc.constantFrom(50, 333, 4096));
    fc.assert(
      fc.property(world, fc.array(acts, { maxLength: 50, size: 'max' }), ([seed, targetLength], steps) => {
        const wires = new Wires(seed, targetLength);
        for (const step of steps) step(wires);
        wires.settle();
      }),
      { numRuns: 200 },
    );
  });
});
