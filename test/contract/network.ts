import sinon from 'sinon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Turns } from '../../core/base/turns.js';
import type { DetachedSocket, Listener, Network, Socket, SocketHandler } from '../../core/ports/network.js';
import { bytes, Recorder } from './recorder.js';
import { itWith } from './world.js';
import type { World } from './world.js';

export interface NetworkTraits {
  /** What `localAddress` of an accepted and `remoteAddress` of a dialled socket look like. */
  readonly serverEnd: RegExp;
  /** The same for the other ends. */
  readonly clientEnd: RegExp;
  /** Who connects, as the accepted socket tells. */
  readonly peerUid: number | null;
  /** An address that the client can come from when asked to, and one that is not its own; null: not a choice here. */
  readonly source: { readonly own: string; readonly foreign: string } | null;
}

/** One process on the network. */
export interface Side {
  readonly network: Network;
  readonly turns: Turns;
  readonly world: World;
}

export interface NetworkSetup {
  readonly client: Side;
  readonly server: Side;
  /** Where the server can listen and nobody does. */
  readonly address: string;
  teardown(): Promise<void>;
}

/** What every Network does. */
export function networkContract(
  name: string,
  traits: NetworkTraits,
  setup: () => Promise<NetworkSetup>,
): void {
  describe(`network contract: ${name}`, () => {
    let context: NetworkSetup;
    let listener: Listener | null;
    const sockets: { readonly socket: Socket; readonly side: Side }[] = [];

    beforeEach(async () => {
      context = await setup();
      listener = null;
    });
    afterEach(async () => {
      listener?.close();
      for (const { socket, side } of sockets.splice(0)) {
        side.world.run(() => {
          socket.destroy();
        });
      }
      await context.server.world.settle();
      await context.teardown();
    });

    /** Every accepted socket, with the handler that it got. */
    async function listen(
      handlerFor: (socket: Socket) => SocketHandler = () => new Recorder(),
    ): Promise<{ socket: Socket; handler: SocketHandler }[]> {
      const { server, address } = context;
      const accepted: { socket: Socket; handler: SocketHandler }[] = [];
      const done = sinon.spy();
      server.world.run(() => {
        listener = server.network.listen(
          address,
          (socket) => {
            sockets.push({ socket, side: server });
            const handler = handlerFor(socket);
            accepted.push({ socket, handler });
            return handler;
          },
          done,
        );
        expect(done.called).toBe(false);
      });
      await server.world.until('the server listens', () => done.called);
      expect(done.args).toEqual([[null]]);
      return accepted;
    }

    function dial(handler: SocketHandler, remote = context.address, source: string | null = null): Socket {
      const { client } = context;
      let socket: Socket | undefined;
      client.world.run(() => {
        socket = client.network.dial(remote, source, handler);
      });
      if (socket === undefined) throw new Error('not dialled');
      sockets.push({ socket, side: client });
      return socket;
    }

    /** A connection whose accepted end has not been resumed. */
    async function connection(targetLength?: number): Promise<{
      dialled: Socket;
      dialledHandler: Recorder;
      accepted: Socket;
      acceptedHandler: Recorder;
    }> {
      const acceptedHandler = new Recorder(targetLength);
      const accepted = await listen(() => acceptedHandler);
      const dialledHandler = new Recorder(targetLength);
      const dialled = dial(dialledHandler);
      await context.client.world.until('the dialler is connected', () => dialledHandler.connected.called);
      await context.server.world.until('the server accepts', () => accepted.length === 1);
      const first = accepted[0];
      if (first === undefined) throw new Error('not accepted');
      return { dialled, dialledHandler, accepted: first.socket, acceptedHandler };
    }

    const onClient = (action: () => void): void => {
      context.client.world.run(action);
    };
    const onServer = (action: () => void): void => {
      context.server.world.run(action);
    };

    it('connects, and both ends know their addresses', async () => {
      const { dialled, dialledHandler, accepted, acceptedHandler } = await connection();
      expect(dialledHandler.connected.callCount).toBe(1);
      expect(acceptedHandler.connected.called).toBe(false);
      expect(dialled.remoteAddress).toMatch(traits.serverEnd);
      expect(accepted.localAddress).toMatch(traits.serverEnd);
      expect(dialled.localAddress).toMatch(traits.clientEnd);
      expect(accepted.remoteAddress).toMatch(traits.clientEnd);
      expect(accepted.peerUid).toBe(traits.peerUid);
      expect(dialled.peerUid).toBeNull();
    });

    it('delivers nothing to an accepted socket before it is resumed, then everything', async () => {
      const { dialled, accepted, acceptedHandler } = await connection();
      onClient(() => {
        dialled.send([bytes(10)]);
      });
      await context.server.world.settle();
      expect(acceptedHandler.received).toEqual([]);
      onServer(() => {
        accepted.resume();
        expect(acceptedHandler.received).toEqual([]);
      });
      await context.server.world.until('all is there', () => acceptedHandler.received.length === 10);
      expect(acceptedHandler.received).toEqual([...bytes(10)]);
    });

    it('carries bytes both ways, in order, into targets of any length', async () => {
      for (const targetLength of [1, 7, 100_000]) {
        const ends = await connection(targetLength);
        onServer(() => {
          ends.accepted.resume();
          ends.accepted.send([bytes(3000).subarray(0, 1), bytes(3000).subarray(1)]);
        });
        onClient(() => {
          ends.dialled.send([bytes(2000)]);
          ends.dialled.send([]);
          ends.dialled.send([bytes(5), new Uint8Array(0), bytes(6)]);
        });
        const { received: fromClient } = ends.acceptedHandler;
        const { received: fromServer } = ends.dialledHandler;
        await context.server.world.until('the server has all', () => fromClient.length === 2011);
        await context.client.world.until('the client has all', () => fromServer.length === 3000);
        expect(fromClient).toEqual([...bytes(2000), ...bytes(5), ...bytes(6)]);
        expect(fromServer).toEqual([...bytes(3000)]);
        listener?.close();
      }
    });

    it('counts what was sent, and all of it in the end; a reader that pauses holds it back', async () => {
      const { dialled, dialledHandler, accepted, acceptedHandler } = await connection();
      const chunks = Array.from({ length: 64 }, () => new Uint8Array(262_144).fill(5));
      const total = 64 * 262_144;
      onClient(() => {
        dialled.send(chunks);
        expect(dialledHandler.sentTotals).toEqual([]);
      });
      await context.client.world.settle();
      expect(dialledHandler.sentTotals.at(-1) ?? 0).toBeLessThan(total);
      let receivedBytes = 0;
      acceptedHandler.afterFilled = () => {
        receivedBytes += acceptedHandler.received.splice(0).length;
      };
      onServer(() => {
        accepted.resume();
      });
      await context.server.world.until('all has arrived', () => receivedBytes === total);
      await context.client.world.until('all is sent', () => dialledHandler.sentTotals.at(-1) === total);
      const totals = dialledHandler.sentTotals;
      expect(totals).toEqual([...new Set(totals)].sort((a, b) => a - b));
    });

    it('sends what was given to it before it was connected', async () => {
      const acceptedHandler = new Recorder();
      const accepted = await listen(() => acceptedHandler);
      const socket = dial(new Recorder());
      onClient(() => {
        socket.send([bytes(20)]);
      });
      await context.server.world.until('the server accepts', () => accepted.length === 1);
      onServer(() => accepted[0]?.socket.resume());
      await context.server.world.until('all is there', () => acceptedHandler.received.length === 20);
    });

    it('stops delivering when it is paused, even within a delivery', async () => {
      const { dialled, accepted, acceptedHandler } = await connection(3);
      acceptedHandler.afterFilled = () => {
        accepted.pause();
      };
      onClient(() => {
        dialled.send([bytes(10)]);
      });
      for (let received = 0; received < 10; received = acceptedHandler.received.length) {
        onServer(() => {
          accepted.resume();
        });
        await context.server.world.until('more arrives', () => acceptedHandler.received.length > received);
        await context.server.world.settle();
        expect(acceptedHandler.received.length).toBeLessThanOrEqual(received + 3);
      }
      expect(acceptedHandler.received).toEqual([...bytes(10)]);
    });

    it('a pause takes back the resume before it', async () => {
      const { dialled, accepted, acceptedHandler } = await connection();
      onClient(() => {
        dialled.send([bytes(10)]);
      });
      await context.server.world.settle();
      onServer(() => {
        accepted.resume();
        accepted.pause();
      });
      await context.server.world.settle();
      expect(acceptedHandler.received).toEqual([]);
    });

    it('closes once, without an error at both ends, when one destroys it', async () => {
      const { dialled, dialledHandler, accepted, acceptedHandler } = await connection();
      onServer(() => {
        accepted.resume();
      });
      onClient(() => {
        dialled.destroy();
        dialled.destroy();
        dialled.send([bytes(10)]);
        expect(dialledHandler.closed.called).toBe(false);
      });
      await context.client.world.until('the client closes', () => dialledHandler.closed.called);
      await context.server.world.until('the server closes', () => acceptedHandler.closed.called);
      await context.server.world.settle();
      expect(dialledHandler.closed.args).toEqual([[null]]);
      expect(acceptedHandler.closed.args).toEqual([[null]]);
    });

    it('tells the end after every byte before it, and to a paused socket not before it is resumed', async () => {
      const { dialled, dialledHandler, accepted, acceptedHandler } = await connection();
      onClient(() => {
        dialled.send([bytes(10)]);
      });
      await context.client.world.until('it is sent', () => dialledHandler.sentTotals.at(-1) === 10);
      onClient(() => {
        dialled.destroy();
      });
      await context.server.world.settle();
      expect(acceptedHandler.closed.called).toBe(false);
      onServer(() => {
        accepted.resume();
      });
      await context.server.world.until('it closes', () => acceptedHandler.closed.called);
      expect(acceptedHandler.received).toEqual([...bytes(10)]);
      expect(acceptedHandler.closed.args).toEqual([[null]]);
    });

    it('delivers, counts and closes in turns', async () => {
      const { server, client } = context;
      const { dialled, dialledHandler, accepted, acceptedHandler } = await connection(4);
      const ends = sinon.spy();
      const deliveries: number[] = [];
      acceptedHandler.afterFilled = () => {
        deliveries.push(acceptedHandler.received.length);
        server.turns.atEnd(() => ends(acceptedHandler.received.length));
      };
      onServer(() => {
        accepted.resume();
      });
      onClient(() => {
        dialled.send([bytes(4)]);
      });
      await server.world.until('all turns have ended', () => ends.lastCall?.firstArg === 4);
      await client.world.until('it is sent', () => dialledHandler.sentTotals.length === 1);
      // What a turn registers for its end is called without another turn.
      expect(ends.args.map(([received]) => received as number)).toEqual(deliveries);
    });

    itWith('binds sources', traits.source !== null, `${name}: comes from the source address`, async () => {
      const { own, foreign } = traits.source ?? { own: '', foreign: '' };
      const accepted = await listen();
      dial(new Recorder(), context.address, `tcp4://${own}`);
      await context.server.world.until('the server accepts', () => accepted.length === 1);
      expect(accepted[0]?.socket.remoteAddress).toContain(`tcp://${own}:`);
      for (const [source, code] of [
        [foreign, 'EADDRNOTAVAIL'],
        ['host:notaport', 'EINVAL'],
      ] as const) {
        const handler = new Recorder();
        dial(handler, context.address, source);
        await context.client.world.until('it fails', () => handler.closed.called);
        expect(handler.closed.firstCall.firstArg).toMatchObject({ code });
      }
    });

    it('calls nothing of a listener that was closed', async () => {
      const done = sinon.spy();
      onServer(() => {
        context.server.network.listen(context.address, () => new Recorder(), done).close();
      });
      await context.server.world.settle();
      expect(done.called).toBe(false);
      await listen();
    });

    it('is refused where nobody listens', async () => {
      const handler = new Recorder();
      dial(handler);
      expect(handler.closed.called).toBe(false);
      await context.client.world.until('it fails', () => handler.closed.called);
      expect(handler.closed.firstCall.firstArg).toMatchObject({ code: /^(ECONNREFUSED|ENOENT)$/ });
      expect(handler.connected.called).toBe(false);
    });

    it('is refused again after the listener was closed, and somebody else can listen there', async () => {
      await listen();
      listener?.close();
      await context.server.world.settle();
      const handler = new Recorder();
      dial(handler);
      await context.client.world.until('it fails', () => handler.closed.called);
      expect(handler.connected.called).toBe(false);
      await listen();
    });

    it('says EADDRINUSE to the second listener, and the first goes on', async () => {
      const accepted = await listen();
      const done = sinon.spy();
      onServer(() => {
        context.server.network.listen(context.address, () => new Recorder(), done);
      });
      await context.server.world.until('it fails', () => done.called);
      expect(done.firstCall.firstArg).toMatchObject({ code: 'EADDRINUSE' });
      dial(new Recorder());
      await context.server.world.until('the first one accepts', () => accepted.length === 1);
    });

    it('tells a bad address as an error of that socket or listener, not in the call', async () => {
      const handler = new Recorder();
      dial(handler, 'host:notaport');
      const listening = sinon.spy();
      const resolved = sinon.spy();
      onClient(() => {
        context.client.network.listen('host:notaport', () => new Recorder(), listening);
        context.client.network.resolve('host:notaport', resolved);
        expect([listening.called, resolved.called]).toEqual([false, false]);
      });
      expect(handler.closed.called).toBe(false);
      const all = [handler.closed, listening, resolved];
      await context.client.world.until('all fail', () => all.every((spy) => spy.called));
      for (const spy of all) expect(spy.firstCall.firstArg).toMatchObject({ code: 'EINVAL' });
    });

    it('resolves a literal to itself and a Unix socket to nothing', async () => {
      const resolved = sinon.spy();
      onClient(() => {
        context.client.network.resolve('tcp4://192.0.2.1:5', resolved);
        context.client.network.resolve('2001:db8::1', resolved);
        context.client.network.resolve('/tmp/socket', resolved);
      });
      await context.client.world.until('all are resolved', () => resolved.callCount === 3);
      expect(resolved.args).toContainEqual([null, ['192.0.2.1']]);
      expect(resolved.args).toContainEqual([null, ['2001:db8::1']]);
      expect(resolved.args).toContainEqual([null, []]);
    });

    it('gives a connection up before it is made', async () => {
      await listen();
      const handler = new Recorder();
      const socket = dial(handler);
      onClient(() => {
        socket.destroy();
      });
      await context.client.world.until('it closes', () => handler.closed.called);
      await context.client.world.settle();
      expect(handler.closed.args).toEqual([[null]]);
      expect(handler.connected.called).toBe(false);
    });

    it('gives a socket away in the middle of a delivery: nothing is lost, nothing doubled', async () => {
      const { dialled, dialledHandler, accepted, acceptedHandler } = await connection(7);
      let detached: DetachedSocket | undefined;
      acceptedHandler.afterFilled = () => {
        if (acceptedHandler.received.length >= 21) detached = accepted.detach();
      };
      onServer(() => {
        accepted.resume();
      });
      onClient(() => {
        dialled.send([bytes(100)]);
      });
      await context.server.world.until('it is detached', () => detached !== undefined);
      onClient(() => {
        dialled.send([bytes(50)]);
      });
      await context.server.world.settle();
      if (detached === undefined) throw new Error('not detached');
      const next = new Recorder(7);
      const adopted = adopt(detached, next);
      await context.server.world.settle();
      expect(next.received).toEqual([]);
      onServer(() => {
        adopted.resume();
        adopted.send([bytes(9)]);
      });
      const rest = 150 - acceptedHandler.received.length;
      await context.server.world.until('the rest arrives', () => next.received.length === rest);
      await context.client.world.until('the answer arrives', () => dialledHandler.received.length === 9);
      expect([...acceptedHandler.received, ...next.received]).toEqual([...bytes(100), ...bytes(50)]);
      expect(next.sentTotals).toEqual([9]);
      expect(next.connected.called).toBe(false);
      expect(acceptedHandler.closed.called).toBe(false);
    });

    it('gives a socket away while it is being accepted, with nothing read from it', async () => {
      let detached: DetachedSocket | undefined;
      const first = new Recorder();
      await listen((socket) => {
        detached = socket.detach();
        return first;
      });
      const socket = dial(new Recorder());
      onClient(() => {
        socket.send([bytes(30)]);
      });
      await context.server.world.until('it is detached', () => detached !== undefined);
      await context.server.world.settle();
      if (detached === undefined) throw new Error('not detached');
      expect(detached.unread.length).toBe(0);
      const next = new Recorder();
      const adopted = adopt(detached, next);
      onServer(() => {
        adopted.resume();
      });
      await context.server.world.until('all arrives', () => next.received.length === 30);
      onClient(() => {
        socket.destroy();
      });
      await context.server.world.until('it closes', () => next.closed.called);
      expect(first.closed.called).toBe(false);
    });

    it('delivers the unread bytes of a detached socket first', async () => {
      const { dialled, dialledHandler, accepted } = await connection();
      const detached = accepted.detach();
      onClient(() => {
        dialled.send([bytes(10)]);
      });
      await context.client.world.until('it is sent', () => dialledHandler.sentTotals.at(-1) === 10);
      const next = new Recorder(3);
      const adopted = adopt({ handle: detached.handle, unread: Uint8Array.of(1, 2, 3, 4) }, next);
      onServer(() => {
        adopted.resume();
      });
      await context.server.world.until('all arrives', () => next.received.length === 14);
      expect(next.received).toEqual([1, 2, 3, 4, ...bytes(10)]);
    });

    function adopt(detached: DetachedSocket, handler: SocketHandler): Socket {
      let socket: Socket | undefined;
      onServer(() => {
        socket = context.server.network.adopt(detached, handler);
      });
      if (socket === undefined) throw new Error('not adopted');
      sockets.push({ socket, side: context.server });
      return socket;
    }
  });
}
