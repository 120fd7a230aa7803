/** Connections as a whole, hosts, and what is seen of the network from outside. */
import { describe, expect, it } from 'vitest';
import { ADDRESS, NetworkBench, type Peer } from './network-bench.js';

const message = Uint8Array.from({ length: 100 }, (_, i) => i);

/** A connection from a to b. */
function connected(): { bench: NetworkBench; dialled: Peer; accepted: Peer } {
  const bench = new NetworkBench();
  return { bench, ...bench.connect() };
}

describe('connections', () => {
  it('one is reset at both ends at once, although the link is cut', () => {
    const { bench, dialled, accepted } = connected();
    const link = bench.lan.link('a', 'b');
    const other = bench.connect();
    link.cut();
    bench.lan.connections()[0]?.reset();
    bench.run(1);
    expect(dialled.events).toEqual(['connected', 'ECONNRESET']);
    expect(accepted.events).toEqual(['ECONNRESET']);
    expect(other.accepted.events).toEqual([]);
    expect(bench.lan.connections().map(({ number }) => number)).toEqual([2]);
  });

  it('all of a host, or of two, are reset', () => {
    for (const reset of [
      (bench: NetworkBench) => bench.lan.host('a').resetConnections(),
      (bench: NetworkBench) => bench.lan.resetConnections(bench.lan.host('b'), bench.lan.host('a')),
    ]) {
      const bench = new NetworkBench();
      const pairs = [bench.connect(), bench.connect()];
      reset(bench);
      bench.run(1);
      for (const { accepted } of pairs) expect(accepted.events).toEqual(['ECONNRESET']);
      expect(bench.lan.connections()).toEqual([]);
    }
  });

  it('a request over a cut link hangs, and gets there when the link is healed', () => {
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const bench = new NetworkBench();
      bench.lan.cut(from, to);
      const dialled = bench.dial();
      bench.run(60_000);
      expect(dialled.events).toEqual([]);
      bench.lan.heal(from, to);
      bench.run(10);
      expect(dialled.events).toEqual(['connected']);
    }
  });

  it('a request that was given up is not sent again', () => {
    const bench = new NetworkBench();
    bench.lan.cut('a', 'b');
    const dialled = bench.dial();
    bench.run(100);
    dialled.destroy();
    bench.run(100);
    bench.lan.heal('a', 'b');
    bench.run(100);
    expect(bench.accepted).toEqual([]);
  });

  it('one that was given up and accepted all the same is listed until the reset gets there', () => {
    const bench = new NetworkBench();
    const dialled = bench.dial();
    dialled.destroy();
    bench.lan.cut('b', 'a');
    expect(bench.lan.connections()).toEqual([]);
    bench.run(1000);
    const numbers = (): number[] => bench.lan.connections().map(({ number }) => number);
    expect([bench.accepted.length, numbers()]).toEqual([1, [1]]);
    bench.lan.heal('b', 'a');
    bench.run(100);
    expect([bench.accepted[0]?.events, numbers()]).toEqual([['ECONNRESET'], []]);
  });

  it('one that its process had no time to take waits for it, or is closed by the kernel', () => {
    for (const isKilled of [false, true]) {
      const bench = new NetworkBench();
      const goOn = bench.mainB.process.pause();
      const dialled = bench.dial();
      bench.run(100);
      dialled.send(message);
      bench.run(1000);
      expect([dialled.events, bench.accepted]).toEqual([['connected'], []]);
      if (isKilled) bench.mainB.process.kill();
      goOn();
      bench.run(100);
      if (isKilled) expect(dialled.events).toEqual(['connected', 'ECONNRESET']);
      else expect(bench.accepted[0]?.received).toEqual([...message]);
    }
  });

  it('what a machine had sent into a cut link is gone with its power', () => {
    const { bench, dialled, accepted } = connected();
    const link = bench.lan.link('a', 'b');
    link.cut();
    dialled.send(message);
    bench.run(100);
    bench.a.losePower();
    link.heal();
    bench.run(1000);
    expect(accepted.received).toEqual([]);
    expect(accepted.events).toEqual([]);
  });

  it('what a killed process had sent still gets there, with the end', () => {
    const { bench, dialled, accepted } = connected();
    const link = bench.lan.link('a', 'b');
    link.cut();
    dialled.send(message);
    bench.run(100);
    bench.mainA.process.kill();
    bench.run(100);
    expect(accepted.events).toEqual([]);
    link.heal();
    bench.run(1000);
    expect(accepted.received).toEqual([...message]);
    expect(accepted.events).toEqual(['closed']);
  });
});

describe('hosts', () => {
  it('one that hangs answers no request, and its connections go on', () => {
    const { bench, dialled, accepted } = connected();
    bench.lan.host('b').hangs = true;
    const waiting = bench.dial();
    dialled.send(message);
    bench.run(60_000);
    expect(waiting.events).toEqual([]);
    expect(accepted.received).toEqual([...message]);
    bench.lan.host('b').hangs = false;
    bench.run(10);
    expect(waiting.events).toEqual(['connected']);
  });

  it('a request to a dark one is answered when it is on again, by a refusal as nobody listens yet', () => {
    const bench = new NetworkBench();
    bench.b.losePower();
    const dialled = bench.dial();
    bench.run(1000);
    expect(dialled.events).toEqual([]);
    bench.b.powerOn();
    bench.run(1000);
    expect(dialled.events).toEqual(['ECONNREFUSED']);
  });

  it('switching on what is on changes nothing', () => {
    const { bench, dialled, accepted } = connected();
    bench.b.powerOn();
    bench.b.losePower();
    dialled.send(message);
    bench.run(1000);
    expect([accepted.received, dialled.events]).toEqual([[], ['connected']]);
  });

  it('one with another address: old connections fall silent, the name leads to the new one', () => {
    const bench = new NetworkBench(1, 'tcp4://0.0.0.0:8457');
    const host = bench.lan.host('b');
    const { dialled, accepted } = bench.connect('tcp4://b:8457');
    const pending = bench.dial();
    host.ips = ['10.0.0.9'];
    dialled.send(message);
    accepted.send(message);
    bench.run(60_000);
    expect([dialled.received, accepted.received, pending.events]).toEqual([[], [], []]);
    expect(bench.dial('tcp4://10.0.0.2:8457').socket?.remoteAddress).toBe('N/A');
    const next = bench.connect('tcp4://b:8457');
    expect(next.dialled.socket?.remoteAddress).toBe('tcp://10.0.0.9:8457');
    next.dialled.send(message);
    bench.run(1000);
    expect(next.accepted.received).toEqual([...message]);
    // As if a cable had been moved for a while.
    host.ips = ['10.0.0.2'];
    bench.run(1000);
    expect([dialled.received, accepted.received]).toEqual([[...message], [...message]]);
    expect(pending.events).toEqual(['connected']);
  });

  it('one that dials from an address it loses falls silent as well', () => {
    const { bench, dialled, accepted } = connected();
    bench.lan.host('a').ips = ['10.0.0.7'];
    dialled.send(message);
    bench.run(1000);
    expect(accepted.received).toEqual([]);
    expect(bench.connect().accepted.socket?.remoteAddress).toMatch(/^tcp:\/\/10\.0\.0\.7:/);
  });
});

describe('lan: healing', () => {
  it('brings everything back at once', () => {
    const { bench, dialled, accepted } = connected();
    const link = bench.lan.link('a', 'b');
    const other = bench.connect();
    link.change({ minLatencyMs: 500_000, maxLatencyMs: 900_000, closeDelayMs: 1e6, bytesPerMs: 0.001 });
    dialled.send(message);
    other.dialled.destroy();
    bench.run(1000);
    link.cut();
    bench.lan.link('b', 'a').cutAfterBytes(0, 'reset');
    for (const channel of bench.lan.channels('a', 'b')) channel.cut();
    bench.lan.host('b').refuses = true;
    bench.lan.host('b').hangs = true;
    const waiting = bench.dial();
    bench.run(1000);
    bench.lan.healAll();
    bench.run(10);
    expect(accepted.received).toEqual([...message]);
    expect(other.accepted.events).toEqual(['closed']);
    expect(waiting.events).toEqual(['connected']);
    accepted.send(message);
    bench.run(10);
    expect(dialled.received).toEqual([...message]);
    expect(bench.lan.link('a', 'b').conditions).toEqual(bench.lan.link('b', 'a').conditions);
  });

  it('sends packets again that were about to arrive, once', () => {
    const { bench, dialled, accepted } = connected();
    bench.lan.link('a', 'b').change({ minLatencyMs: 100, maxLatencyMs: 100 });
    dialled.send(message);
    bench.run(50);
    bench.lan.healAll();
    bench.run(1000);
    expect(accepted.received).toEqual([...message]);
  });
});

describe('lan: observer', () => {
  it('sees connections, the bytes that are sent, and how many arrive', () => {
    const bench = new NetworkBench();
    const seen: string[] = [];
    bench.lan.observer = {
      opened: ({ number, ends }) => seen.push(`${String(number)} opened ${ends.from.name}->${ends.to.name}`),
      refused: ({ number }) => seen.push(`${String(number)} refused`),
      sent: ({ connection, link }, bytes) =>
        seen.push(`${String(connection.number)} ${link.from.name} sent ${String([...bytes])}`),
      delivered: ({ connection, link }, bytes) =>
        seen.push(`${String(connection.number)} ${link.to.name} got ${String(bytes)}`),
      closed: ({ number }) => seen.push(`${String(number)} closed`),
    };
    bench.lan.link('a', 'b').change({ fragmentOneIn: 0 });
    const { dialled, accepted } = bench.connect();
    dialled.send(message.subarray(1, 4), message.subarray(7, 9));
    bench.run(10);
    accepted.send(message.subarray(50, 51));
    bench.run(10);
    dialled.destroy();
    bench.run(10);
    bench.dial('tcp4://10.0.0.2:1');
    bench.run(10);
    expect(seen).toEqual([
      '1 opened a->b',
      '1 a sent 1,2,3',
      '1 a sent 7,8',
      '1 b got 5',
      '1 b sent 50',
      '1 a got 1',
      '1 closed',
      '2 refused',
      '2 closed',
    ]);
  });
});

describe('network: determinism', () => {
  it('the same seed gives the same run, another one another', () => {
    const run = (seed: number): string => {
      const bench = new NetworkBench(seed);
      const { dialled, accepted } = bench.connect();
      bench.lan.link('a', 'b').change({ fragmentOneIn: 1, spikeOneIn: 3, spikeMs: 10 });
      for (let i = 0; i < 20; i++) {
        dialled.send(message);
        accepted.send(message);
        bench.run(1);
      }
      bench.run(1000);
      return JSON.stringify([accepted.deliveries, dialled.deliveries, bench.scheduler.traceHash]);
    };
    expect(run(5)).toBe(run(5));
    expect(run(5)).not.toBe(run(6));
  });

  it('a fault of one direction does not change the other one', () => {
    const run = (isFaulty: boolean): unknown => {
      const bench = new NetworkBench(3);
      const { dialled, accepted } = bench.connect();
      if (isFaulty) {
        bench.lan.link('a', 'b').change({ spikeOneIn: 2, spikeMs: 300, bytesPerMs: 10, coalesceMs: 5 });
        bench.lan.cut('a', 'b');
      }
      for (let i = 0; i < 20; i++) {
        dialled.send(message);
        accepted.send(message);
        bench.run(10);
      }
      return dialled.deliveries;
    };
    expect(run(true)).toEqual(run(false));
  });

  it('dials what is refused and leaves nothing behind', () => {
    const bench = new NetworkBench(1, null);
    const dialled = bench.dial(ADDRESS);
    bench.run(10);
    expect(dialled.events).toEqual(['ECONNREFUSED']);
    expect(bench.lan.connections()).toEqual([]);
  });
});
