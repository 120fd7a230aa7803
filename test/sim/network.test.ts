import { describe, expect, it } from 'vitest';
import type { PortError } from '../../core/ports/error.js';
import type { DetachedSocket, Network, Socket, SocketHandler } from '../../core/ports/network.js';
import { SimMedium } from '../../sim/medium.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine } from '../../sim/machine.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

class Peer implements SocketHandler {
  readonly received: number[] = [];
  readonly events: string[] = [];
  sentBytes = 0;
  socket: Socket | null = null;
  readonly #target = new Uint8Array(7);

  connected(): void {
    this.events.push('connected');
  }
  target(): Uint8Array {
    return this.#target;
  }
  filled(bytes: number): void {
    this.received.push(...this.#target.subarray(0, bytes));
  }
  sent(totalBytes: number): void {
    this.sentBytes = totalBytes;
  }
  closed(error: PortError | null): void {
    this.events.push(error === null ? 'closed' : error.code);
  }
}

const ADDRESS = 'tcp4://10.0.0.2:8457';
const message = Uint8Array.from({ length: 100 }, (_, i) => i);

function world(seed: number) {
  const scheduler = new Scheduler();
  const lan = new Lan(scheduler, seed);
  const machine = (name: string, ip: string): SimMachine => {
    const medium = new SimMedium(new Random(seed, `disk ${name}`), { mediaSize: 4096 });
    return new SimMachine(scheduler, lan, lan.addHost(name, [ip]), [medium], seed);
  };
  const a = machine('a', '10.0.0.1');
  const b = machine('b', '10.0.0.2');
  return { scheduler, lan, a, b };
}

/** A connection from a to b; both ends read. */
function connected(seed: number) {
  const { scheduler, lan, a, b } = world(seed);
  const mainA = a.boot('main');
  const mainB = b.boot('main');
  const accepted = new Peer();
  const dialled = new Peer();
  mainB.process.run(() => {
    listen(mainB.network, accepted);
  });
  scheduler.runUntilIdle();
  mainA.process.run(() => {
    dialled.socket = mainA.network.dial(ADDRESS, null, dialled);
  });
  scheduler.runUntilIdle();
  expect(dialled.events).toEqual(['connected']);
  mainB.process.run(() => accepted.socket?.resume());
  return { scheduler, lan, a, b, mainA, mainB, accepted, dialled };
}

function listen(network: Network, peer: Peer): void {
  network.listen(
    ADDRESS,
    (socket) => {
      peer.socket = socket;
      return peer;
    },
    (error) => {
      expect(error).toBeNull();
    },
  );
}

describe('network: faults', () => {
  it('delivers in order whatever the fragments', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { scheduler, mainA, accepted, dialled } = connected(seed);
      mainA.process.run(() => dialled.socket?.send([message.subarray(0, 60), message.subarray(60)]));
      scheduler.runUntilIdle();
      expect(accepted.received).toEqual([...message]);
      expect(dialled.sentBytes).toBe(100);
    }
  });

  it('a cut direction is silent, the other one works; healing delivers what waited', () => {
    const { scheduler, lan, mainA, mainB, accepted, dialled } = connected(1);
    lan.cut('a', 'b');
    mainA.process.run(() => dialled.socket?.send([message]));
    mainB.process.run(() => accepted.socket?.send([message]));
    scheduler.runFor(60_000);
    expect(accepted.received).toEqual([]);
    expect(dialled.received).toEqual([...message]);
    lan.heal('a', 'b');
    scheduler.runUntilIdle();
    expect(accepted.received).toEqual([...message]);
  });

  it('a process that dies resets or ends its connections', () => {
    const { scheduler, mainA, accepted, dialled } = connected(1);
    mainA.process.kill();
    scheduler.runUntilIdle();
    expect(accepted.events).toEqual(['closed']);
    expect(dialled.events).toEqual(['connected']);
  });

  it('a machine that loses power leaves half-open connections, and resets them when it is on again', () => {
    const { scheduler, a, mainB, accepted } = connected(1);
    a.losePower();
    mainB.process.run(() => accepted.socket?.send([message]));
    scheduler.runFor(60_000);
    expect(accepted.events).toEqual([]);
    a.powerOn();
    mainB.process.run(() => accepted.socket?.send([message]));
    scheduler.runUntilIdle();
    expect(accepted.events).toEqual(['ECONNRESET']);
  });

  it('a dark machine does not answer, one without a listener refuses', () => {
    const { scheduler, a, b } = world(1);
    const { process, network } = a.boot('main');
    const refused = new Peer();
    process.run(() => network.dial(ADDRESS, null, refused));
    scheduler.runUntilIdle();
    expect(refused.events).toEqual(['ECONNREFUSED']);
    b.losePower();
    const silent = new Peer();
    process.run(() => network.dial(ADDRESS, null, silent));
    scheduler.runUntilIdle();
    expect(silent.events).toEqual([]);
  });

  it('a connection given up before the answer is reset at the other end', () => {
    const { scheduler, a, b } = world(1);
    const mainA = a.boot('main');
    const mainB = b.boot('main');
    const accepted = new Peer();
    const dialled = new Peer();
    mainB.process.run(() => {
      listen(mainB.network, accepted);
    });
    mainA.process.run(() => {
      mainA.network.dial(ADDRESS, null, dialled).destroy();
    });
    scheduler.runUntilIdle();
    mainB.process.run(() => accepted.socket?.resume());
    scheduler.runUntilIdle();
    expect(dialled.events).toEqual(['closed']);
    expect(accepted.events).toEqual(['ECONNRESET']);
  });

  it('a socket given to another process of the machine loses and doubles nothing', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { scheduler, b, mainA, mainB, accepted, dialled } = connected(seed);
      const worker = b.boot('worker');
      const adopted = new Peer();
      let detached: DetachedSocket | undefined;
      mainA.process.run(() => dialled.socket?.send([message.subarray(0, 50)]));
      scheduler.runUntil(() => accepted.received.length > 20, 1000);
      mainB.process.run(() => {
        detached = accepted.socket?.detach();
      });
      mainA.process.run(() => dialled.socket?.send([message.subarray(50)]));
      scheduler.runFor(seed % 3);
      const handedOver = detached;
      if (handedOver === undefined) throw new Error('not detached');
      worker.process.run(() => {
        worker.network.adopt(handedOver, adopted).resume();
      });
      mainB.process.kill();
      scheduler.runUntilIdle();
      expect([...accepted.received, ...adopted.received]).toEqual([...message]);
    }
  });

  it('stops reading when paused within a delivery, and holds back what does not fit the buffers', () => {
    const { scheduler, mainA, mainB, accepted, dialled } = connected(1);
    mainB.process.run(() => accepted.socket?.pause());
    const large = new Uint8Array(1024 * 1024).fill(9);
    mainA.process.run(() => dialled.socket?.send([large]));
    scheduler.runUntilIdle();
    expect(accepted.received).toEqual([]);
    expect(dialled.sentBytes).toBeLessThan(large.length);
    mainB.process.run(() => accepted.socket?.resume());
    scheduler.runUntilIdle();
    expect(accepted.received.length).toBe(large.length);
    expect(dialled.sentBytes).toBe(large.length);
  });
});

describe('network: a process that is stopped', () => {
  it('gets what was sent, and the end of it, when it goes on', () => {
    const { scheduler, b, mainA, accepted, dialled } = connected(1);
    b.pause(10_000);
    mainA.process.run(() => {
      dialled.socket?.send([message]);
    });
    scheduler.runFor(1_000);
    mainA.process.run(() => dialled.socket?.destroy());
    scheduler.runFor(1_000);
    expect([accepted.received, accepted.events]).toEqual([[], []]);
    scheduler.runUntilIdle();
    expect([accepted.received, accepted.events]).toEqual([[...message], ['closed']]);
  });

  /** A stopped process has been dialled. */
  function dialled() {
    const { scheduler, a, b } = world(1);
    const mainA = a.boot('main');
    const mainB = b.boot('main');
    const accepted = new Peer();
    const dialler = new Peer();
    mainB.process.run(() => {
      listen(mainB.network, accepted);
    });
    scheduler.runUntilIdle();
    b.pause(10_000);
    mainA.process.run(() => {
      dialler.socket = mainA.network.dial(ADDRESS, null, dialler);
    });
    scheduler.runFor(1_000);
    expect([dialler.events, accepted.socket]).toEqual([['connected'], null]);
    return { scheduler, b, mainB, accepted, dialler };
  }

  it('accepts when it goes on', () => {
    const { scheduler, accepted } = dialled();
    scheduler.runUntilIdle();
    expect(accepted.socket).not.toBeNull();
  });

  it('and is killed: the kernel closes what it never accepted', () => {
    const { scheduler, mainB, dialler } = dialled();
    mainB.process.kill();
    scheduler.runUntilIdle();
    expect(dialler.events).toEqual(['connected', 'closed']);
  });

  it('and loses power: nobody says anything', () => {
    const { scheduler, b, dialler } = dialled();
    b.losePower();
    scheduler.runUntilIdle();
    expect(dialler.events).toEqual(['connected']);
  });
});
