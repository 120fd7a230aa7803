import { Socket as NetSocket } from 'node:net';
import { constants } from 'node:os';
import sinon from 'sinon';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import type { SocketHandler } from '../../core/ports/network.js';
import { READABLE, WRITABLE, type Addon, type PolledSocket } from '../../native/addon.js';
import { DirectSocket } from '../../native/direct-socket.js';

const AGAIN = -constants.errno.EAGAIN;
const ENDS = { local: 'here', remote: 'there', peerUid: null };

/** An established, resumed socket on a made-up `PolledSocket`. */
function setUp(handling: Partial<SocketHandler> = {}) {
  const turns = new Turns();
  const polled = {
    watch: sinon.stub<[number], undefined>(),
    receive: sinon.stub<[Uint8Array], number>().returns(AGAIN),
    send: sinon.stub<[readonly Uint8Array[], number], number>(),
    release: sinon.stub<[boolean], number>().returns(-1),
  } satisfies PolledSocket;
  let ready: (events: number) => void = () => undefined;
  const addon = {
    PolledSocket: function (_fd: number, told: (events: number) => void): PolledSocket {
      ready = told;
      return polled;
    },
  } as unknown as Addon;
  const sent = sinon.spy();
  const closed = sinon.spy();
  const target = new Uint8Array(100);
  const handler: SocketHandler = {
    ...{ connected: () => undefined, target: () => target, filled: () => undefined, sent, closed },
    ...handling,
  };
  const socket = new DirectSocket({ turns, addon }, new NetSocket(), handler, ENDS, {
    unread: new Uint8Array(0),
  });
  socket.resume();
  const told = (events: number): void => {
    ready(events);
  };
  return { turns, socket, polled, told, sent, closed };
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const lengths = (chunks: readonly Uint8Array[]): number[] => chunks.map(({ length }) => length);

describe('a direct socket', () => {
  it('sends once for everything that a turn has to send, and counts it in the same turn', () => {
    const { turns, socket, polled, sent } = setUp();
    const given: number[][] = [];
    polled.send.callsFake((chunks) => {
      given.push(lengths(chunks));
      return 60;
    });
    turns.run(() => {
      socket.send([bytes(10), bytes(0)]);
      socket.send([bytes(20), bytes(30)]);
      expect(polled.send.called).toBe(false);
    });
    expect(given).toEqual([[10, 20, 30]]);
    expect(sent.args).toEqual([[60]]);
  });

  it('goes on where the system had no more room, when it has', () => {
    const { turns, socket, polled, told, sent } = setUp();
    const given: [number[], number][] = [];
    const results = [25, 0, 35];
    polled.send.callsFake((chunks, skip) => {
      given.push([lengths(chunks), skip]);
      return results.shift() ?? 0;
    });
    turns.run(() => {
      socket.send([bytes(10), bytes(20), bytes(30)]);
    });
    expect(polled.watch.lastCall.args).toEqual([READABLE | WRITABLE]);
    turns.run(() => {
      socket.send([bytes(0)]);
    });
    told(WRITABLE);
    told(WRITABLE);
    expect(given).toEqual([
      [[10, 20, 30], 0],
      [[20, 30], 15],
      [[20, 30], 15],
    ]);
    expect(sent.args).toEqual([[25], [60]]);
    expect(polled.watch.lastCall.args).toEqual([READABLE]);
  });

  it('receives until there is no more, in one turn', () => {
    const filled: number[] = [];
    const { polled, told } = setUp({ filled: (count) => filled.push(count) });
    for (const [call, count] of [100, 100, 40].entries()) polled.receive.onCall(call).returns(count);
    told(READABLE);
    expect(filled).toEqual([100, 100, 40]);
    expect(polled.receive.callCount).toBe(3);
  });

  it('lets others have their turn when the peer never stops sending', () => {
    let received = 0;
    const { polled, told } = setUp({ filled: (count) => (received += count) });
    polled.receive.returns(100);
    told(READABLE);
    expect(received).toBeGreaterThanOrEqual(1 << 20);
    expect(received).toBeLessThan(2 << 20);
  });

  it('receives nothing after a pause, not even in the same turn', () => {
    const filled = sinon.stub();
    const { socket, polled, told } = setUp({ filled });
    filled.callsFake(() => {
      socket.pause();
    });
    polled.receive.returns(100);
    told(READABLE);
    expect(polled.receive.callCount).toBe(1);
    expect(polled.watch.lastCall.args).toEqual([0]);
  });

  it.each([
    ['the peer has closed it', 0, null],
    ['it was reset', -constants.errno.ECONNRESET, { code: 'ECONNRESET' }],
  ])('ends once when %s', async (_name, result, error) => {
    const { polled, told, socket, closed } = setUp();
    polled.receive.returns(result);
    told(READABLE);
    socket.destroy();
    await new Promise(setImmediate);
    expect(polled.release.args).toEqual([[true]]);
    expect(closed.callCount).toBe(1);
    if (error === null) expect(closed.args).toEqual([[null]]);
    else expect(closed.args[0]?.[0]).toMatchObject(error);
  });

  it('ends when sending fails, after the turn that sent', async () => {
    const { turns, polled, socket, closed } = setUp();
    polled.send.returns(-constants.errno.EPIPE);
    turns.run(() => {
      socket.send([bytes(1)]);
    });
    expect(closed.called).toBe(false);
    await new Promise(setImmediate);
    expect(closed.args).toMatchObject([[{ code: 'EPIPE' }]]);
  });
});
