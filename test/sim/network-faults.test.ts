/** What links and channels can do to connections. */
import { describe, expect, it } from 'vitest';
import type { LinkConditions } from '../../sim/link.js';
import { NetworkBench, type Peer } from './network-bench.js';

const message = Uint8Array.from({ length: 100 }, (_, i) => i);
const SAME: Partial<LinkConditions> = { minLatencyMs: 1, maxLatencyMs: 1, fragmentOneIn: 0 };

/** A connected pair over a link that takes 1 ms and breaks nothing into pieces. */
function steady(changes: Partial<LinkConditions> = {}) {
  const bench = new NetworkBench();
  const ends = bench.connect();
  const link = bench.lan.link('a', 'b');
  link.change({ ...SAME, ...changes });
  return { bench, link, ...ends, startMs: bench.scheduler.nowMs };
}

/** How long after `startMs` bytes were noticed. */
function delays(peer: Peer, startMs: number): number[] {
  return peer.deliveries.map(({ atMs }) => Math.round((atMs - startMs) * 1000) / 1000);
}

function sizes(peer: Peer): number[] {
  return peer.deliveries.map(({ bytes }) => bytes);
}

describe('link: conditions', () => {
  it('takes the latency it is told, from the next packet on', () => {
    const { bench, link, dialled, accepted, startMs } = steady();
    dialled.send(message);
    link.change({ minLatencyMs: 300, maxLatencyMs: 400 });
    bench.run(1000);
    dialled.send(message);
    bench.run(1000);
    const [first = 0, second = 0] = delays(accepted, startMs);
    expect(first).toBe(1);
    expect(second).toBeGreaterThanOrEqual(1300);
    expect(second).toBeLessThanOrEqual(1400);
  });

  it('keeps the order when a later packet would be faster', () => {
    const { bench, link, dialled, accepted, startMs } = steady({ minLatencyMs: 50, maxLatencyMs: 50 });
    dialled.send(message.subarray(0, 60));
    link.change(SAME);
    dialled.send(message.subarray(60));
    bench.run(100);
    expect(accepted.received).toEqual([...message]);
    expect(delays(accepted, startMs)).toEqual([50]);
  });

  it('delays some packets by a spike, and the other latencies are the same as without', () => {
    const times = (changes: Partial<LinkConditions>): number[] => {
      const { bench, dialled, accepted, startMs } = steady({ minLatencyMs: 1, maxLatencyMs: 9, ...changes });
      for (let i = 0; i < 40; i++) {
        dialled.send(message);
        bench.run(1000);
      }
      return delays(accepted, startMs);
    };
    const calm = times({});
    const spiky = times({ spikeOneIn: 4, spikeMs: 500 });
    const hit = calm.filter((time, i) => time !== spiky[i]);
    expect(calm).toHaveLength(40);
    expect(hit.length).toBeGreaterThan(2);
    expect(hit.length).toBeLessThan(20);
  });

  it('a packet waits for all that left before it over a narrow link, whatever the connection', () => {
    const { bench, dialled, accepted } = steady({ bytesPerMs: 10 });
    const other = bench.connect();
    const otherMs = bench.scheduler.nowMs;
    dialled.send(message);
    other.dialled.send(message);
    bench.run(100);
    dialled.send(message);
    bench.run(100);
    expect(delays(accepted, otherMs)).toEqual([11, 111]);
    expect(delays(other.accepted, otherMs)).toEqual([21]);
  });

  it('breaks every burst into pieces, or none, and loses nothing', () => {
    for (const fragmentOneIn of [0, 1]) {
      const { bench, dialled, accepted } = steady({ minLatencyMs: 0.1, maxLatencyMs: 5, fragmentOneIn });
      for (let i = 0; i < 50; i++) {
        dialled.send(message);
        bench.run(200);
      }
      expect(accepted.received).toHaveLength(5000);
      if (fragmentOneIn === 0) expect(sizes(accepted)).toEqual(Array.from({ length: 50 }, () => 100));
      else {
        expect(accepted.deliveries.length).toBeGreaterThan(80);
        expect(sizes(accepted)).toContain(1);
      }
    }
  });

  it('delivers several packets in one turn when arrivals are noticed now and then only', () => {
    const { bench, dialled, accepted, startMs } = steady({ coalesceMs: 20 });
    for (let i = 0; i < 10; i++) {
      dialled.send(message.subarray(10 * i, 10 * i + 10));
      bench.run(3);
    }
    bench.run(100);
    expect(accepted.received).toEqual([...message]);
    expect(accepted.deliveries.length).toBeLessThanOrEqual(3);
    for (const { atMs } of accepted.deliveries) expect(atMs % 20).toBeCloseTo(0, 6);
    expect(startMs).toBeGreaterThan(0);
  });

  it('holds the end of a connection back, not its bytes', () => {
    const { bench, dialled, accepted, startMs } = steady({ closeDelayMs: 5000 });
    dialled.send(message);
    bench.run(10);
    dialled.destroy();
    bench.run(4000);
    expect(accepted.received).toEqual([...message]);
    expect(accepted.events).toEqual([]);
    bench.run(4000);
    expect(accepted.events).toEqual(['closed']);
    expect(accepted.eventTimesMs[0]).toBeCloseTo(startMs + 10 + 5001, 3);
  });

  it('holds a reset back, too', () => {
    const { bench, dialled, accepted } = steady({ closeDelayMs: 5000 });
    dialled.booted.process.run(() => dialled.socket?.pause());
    accepted.send(message);
    bench.run(10);
    dialled.destroy();
    bench.run(4000);
    expect(accepted.events).toEqual([]);
    bench.run(4000);
    expect(accepted.events).toEqual(['ECONNRESET']);
  });
});

describe('link: cut after a number of bytes', () => {
  it('lets exactly so many bytes pass, then is silent until it is healed', () => {
    for (const bytes of [0, 1, 37, 99, 100, 101, 150]) {
      const { bench, link, dialled, accepted } = steady();
      link.cutAfterBytes(bytes, 'cut');
      dialled.send(message);
      bench.run(50);
      dialled.send(message);
      bench.run(60_000);
      expect(accepted.received).toEqual([...message, ...message].slice(0, bytes));
      expect(accepted.events).toEqual([]);
      link.heal();
      bench.run(50);
      expect(accepted.received).toEqual([...message, ...message]);
    }
  });

  it('counts the bytes of all connections together, and of that direction only', () => {
    const { bench, link, dialled, accepted } = steady();
    const other = bench.connect();
    link.cutAfterBytes(150, 'cut');
    accepted.send(message);
    dialled.send(message);
    bench.run(50);
    other.dialled.send(message);
    bench.run(50);
    expect(accepted.received).toEqual([...message]);
    expect(other.accepted.received).toEqual([...message.subarray(0, 50)]);
    expect(dialled.received).toEqual([...message]);
    other.accepted.send(message);
    bench.run(50);
    expect(other.dialled.received).toEqual([...message]);
  });

  it('resets the connections at both ends when told so, in the middle of a message', () => {
    const { bench, link, dialled, accepted } = steady();
    const other = bench.connect();
    link.cutAfterBytes(42, 'reset');
    dialled.send(message);
    bench.run(1000);
    for (const peer of [accepted, other.accepted]) expect(peer.events).toEqual(['ECONNRESET']);
    for (const peer of [dialled, other.dialled]) expect(peer.events).toEqual(['connected', 'ECONNRESET']);
    expect(accepted.received).toEqual([...message.subarray(0, 42)]);
    expect(bench.lan.connections()).toEqual([]);
    // The link itself works.
    const next = bench.connect();
    next.dialled.send(message);
    bench.run(100);
    expect(next.accepted.received).toEqual([...message]);
  });

  it('is taken back by heal', () => {
    const { bench, link, dialled, accepted } = steady();
    link.cutAfterBytes(10, 'reset');
    link.heal();
    dialled.send(message);
    bench.run(100);
    expect(accepted.received).toEqual([...message]);
    expect(accepted.events).toEqual([]);
  });
});

describe('channels', () => {
  it('are listed per direction in the order of their connections, while an end is open', () => {
    const bench = new NetworkBench();
    const first = bench.connect();
    bench.connect();
    const numbers = (): number[] => bench.lan.channels('b', 'a').map(({ connection }) => connection.number);
    expect(numbers()).toEqual([1, 2]);
    expect(bench.lan.channels('a', 'b').map(({ connection }) => connection.number)).toEqual([1, 2]);
    expect(bench.lan.channels('a', 'a')).toEqual([]);
    bench.lan.cut('a', 'b');
    first.dialled.destroy();
    bench.run(1000);
    expect(numbers()).toEqual([1, 2]);
    bench.lan.heal('a', 'b');
    bench.run(1000);
    expect(numbers()).toEqual([2]);
  });

  it('four of them are cut and healed each for itself, in any order', () => {
    const bench = new NetworkBench();
    const pairs = [bench.connect(), bench.connect()];
    const channels = [...bench.lan.channels('a', 'b'), ...bench.lan.channels('b', 'a')];
    const receivers = [...pairs.map(({ accepted }) => accepted), ...pairs.map(({ dialled }) => dialled)];
    const senders = [...pairs.map(({ dialled }) => dialled), ...pairs.map(({ accepted }) => accepted)];
    const received = (): boolean[] => receivers.map((peer) => peer.received.splice(0).length > 0);
    for (const index of [2, 0, 3]) channels[index]?.cut();
    for (const sender of senders) sender.send(message);
    bench.run(1000);
    expect(received()).toEqual([false, true, false, false]);
    channels[0]?.heal();
    bench.run(1000);
    expect(received()).toEqual([true, false, false, false]);
    channels[3]?.heal();
    channels[2]?.heal();
    bench.run(1000);
    expect(received()).toEqual([false, false, true, true]);
  });

  it('stay silent while either their own cut or that of the link lasts', () => {
    const { bench, link, dialled, accepted } = steady();
    const [channel] = bench.lan.channels('a', 'b');
    channel?.cut();
    link.cut();
    dialled.send(message);
    bench.run(1000);
    link.heal();
    bench.run(1000);
    expect(accepted.received).toEqual([]);
    link.cut();
    channel?.heal();
    bench.run(1000);
    expect(accepted.received).toEqual([]);
    link.heal();
    bench.run(1000);
    expect(accepted.received).toEqual([...message]);
  });

  it('are cut after a number of bytes, or reset, without the other connection', () => {
    for (const then of ['cut', 'reset'] as const) {
      const { bench, dialled, accepted } = steady();
      const other = bench.connect();
      bench.lan.channels('a', 'b')[0]?.cutAfterBytes(30, then);
      dialled.send(message);
      other.dialled.send(message);
      bench.run(1000);
      expect(accepted.received).toEqual([...message.subarray(0, 30)]);
      expect(other.accepted.received).toEqual([...message]);
      expect(accepted.events).toEqual(then === 'cut' ? [] : ['ECONNRESET']);
      expect(dialled.events).toEqual(then === 'cut' ? ['connected'] : ['connected', 'ECONNRESET']);
    }
  });
});
