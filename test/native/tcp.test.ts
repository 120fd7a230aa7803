import { once } from 'node:events';
import * as net from 'node:net';
import sinon from 'sinon';
import { afterEach, describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import type { PortError } from '../../core/ports/error.js';
import type { Listener, Socket, SocketHandler } from '../../core/ports/network.js';
import { NodeNetwork } from '../../native/tcp.js';

const turns = new Turns();
const network = new NodeNetwork(turns, null);
const open: { destroy(): unknown }[] = [];
afterEach(() => {
  sinon.restore();
  for (const socket of open.splice(0)) socket.destroy();
});

function handler(overrides: Partial<SocketHandler> = {}): SocketHandler {
  const target = new Uint8Array(100);
  return {
    connected: () => undefined,
    target: () => target,
    filled: () => undefined,
    sent: () => undefined,
    closed: () => undefined,
    ...overrides,
  };
}

/** The port that a plain server listens on. */
async function plainServer(onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    open.push(socket);
    onConnection(socket);
  });
  open.push({ destroy: () => server.close() });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

function dialled(remote: string, overrides: Partial<SocketHandler> = {}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    turns.run(() => {
      const socket = network.dial(
        remote,
        null,
        handler({
          connected: () => {
            resolve(socket);
          },
          closed: (error) => {
            reject(new Error(error?.message));
          },
          ...overrides,
        }),
      );
      open.push(socket);
    });
  });
}

function listen(address: string): Promise<{ listener: Listener; error: PortError | null }> {
  return new Promise((resolve) => {
    turns.run(() => {
      const listener = network.listen(
        address,
        (socket) => {
          open.push(socket);
          return handler();
        },
        (error) => {
          resolve({ listener, error });
        },
      );
      open.push({ destroy: () => listener.close() });
    });
  });
}

describe('sockets on net.Socket', () => {
  it('write once for everything that was sent in a turn', async () => {
    const total = sinon.spy();
    const port = await plainServer((socket) => socket.resume());
    const socket = await dialled(`tcp4://127.0.0.1:${port}`, { sent: total });
    const writev = sinon.spy(net.Socket.prototype, '_writev' as keyof net.Socket);
    turns.run(() => {
      for (let i = 0; i < 20; i++) socket.send([new Uint8Array(10), new Uint8Array(1000)]);
      expect(writev.called).toBe(false);
    });
    expect(writev.callCount).toBe(1);
    while (!total.called) await new Promise(setImmediate);
    expect(total.args).toEqual([[20_200]]);
  });

  it('tell of progress in steps, however much was sent at once', async () => {
    const totals: number[] = [];
    const port = await plainServer((socket) => socket.resume());
    const socket = await dialled(`tcp4://127.0.0.1:${port}`, { sent: (bytes) => totals.push(bytes) });
    turns.run(() => {
      socket.send([new Uint8Array(1_000_000), new Uint8Array(50_000)]);
    });
    while (totals.at(-1) !== 1_050_000) await new Promise(setImmediate);
    expect(totals.length).toBeGreaterThan(3);
  });

  it('are reset by a peer as an error, once', async () => {
    const closed = sinon.spy();
    const port = await plainServer((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const socket = await dialled(`tcp4://127.0.0.1:${port}`, { closed });
    turns.run(() => {
      socket.send([new Uint8Array(10)]);
    });
    while (!closed.called) await new Promise(setImmediate);
    expect(closed.args).toEqual([[{ code: 'ECONNRESET', message: 'Connection reset by peer' }]]);
  });

  it('turn off Nagle at both ends', async () => {
    const noDelay = sinon.spy(net.Socket.prototype, 'setNoDelay');
    const port = await plainServer(() => undefined);
    await dialled(`tcp4://127.0.0.1:${port}`);
    expect(noDelay.calledWith(true)).toBe(true);
  });
});

describe('listeners on Node', () => {
  it('of IPv4 and IPv6 have the same port side by side', async () => {
    const probe = await plainServer(() => undefined);
    const port = probe === 65_535 ? probe - 1 : probe + 1;
    expect((await listen(`tcp4://0.0.0.0:${port}`)).error).toBeNull();
    const six = (await listen(`tcp6://[::]:${port}`)).error;
    // Where there is no IPv6 at all that is the answer.
    if (six !== null) expect(six.code).toBe('EAFNOSUPPORT');
  });

  it('say what is wrong with an address of another host', async () => {
    expect((await listen('tcp4://198.51.100.1:8457')).error).toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});

describe('names', () => {
  it('are resolved, the own one without any network too', async () => {
    const resolved = sinon.spy();
    // Too long for a label: no server is asked.
    const nobody = 'x'.repeat(64);
    turns.run(() => {
      network.resolve('tcp4://localhost', resolved);
      network.resolve(`tcp://${nobody}`, resolved);
    });
    while (resolved.callCount < 2) await new Promise(setImmediate);
    expect(resolved.args).toContainEqual([null, ['127.0.0.1']]);
    expect(resolved.args).toContainEqual([
      { code: 'EINVAL', message: `the host name ${nobody} cannot be resolved` },
      [],
    ]);
  });
});
