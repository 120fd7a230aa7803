import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import type { DetachedSocket, Listener, Socket, SocketHandler } from '../../core/ports/network.js';
import { NodeNetwork } from '../../native/tcp.js';
import { eachAddon } from './addons.js';

interface Report {
  readonly kind: 'adopted' | 'closed';
  readonly error: unknown;
  readonly bytes: Uint8Array;
}

/** A peer that writes from within any call: the byte is in the receiver's kernel before the call returns. */
class Client {
  #socket: net.Socket | null = null;
  written = 0;

  async connect(options: net.NetConnectOpts): Promise<void> {
    const socket = net.connect(options);
    await once(socket, 'connect');
    this.#socket = socket;
  }

  writeByte(): void {
    if (this.#socket === null) return;
    const { fd } = (this.#socket as unknown as { _handle: { fd: number } })._handle;
    try {
      writeSync(fd, Uint8Array.of(this.written & 0xff));
      this.written++;
    } catch (error) {
      // The buffers are full of single bytes: there are enough.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }

  end(): void {
    this.#socket?.destroy();
  }
}

type When = 'while accepted' | 'before resumed' | 'in a delivery' | 'paused for a while';

describe.each(eachAddon)('a connection given to another process, %s', (_name, addon) => {
  const folder = mkdtempSync(join(tmpdir(), 'hast-detach-'));
  let child: ChildProcess;

  beforeAll(async () => {
    const options = addon === null ? [] : ['addon'];
    child = fork(new URL('./detach-child.js', import.meta.url), options, { serialization: 'advanced' });
    await once(child, 'message');
  });
  afterAll(() => {
    child.kill();
    rmSync(folder, { recursive: true });
  });

  function reported(kind: Report['kind']): Promise<Report> {
    return new Promise((resolve) => {
      const listener = (report: unknown): void => {
        if ((report as Report).kind !== kind) return;
        child.off('message', listener);
        resolve(report as Report);
      };
      child.on('message', listener);
    });
  }

  /** Gives the connection away at some point, with a byte sent in every gap; all bytes as both processes saw them. */
  async function handOver(address: string, options: net.NetConnectOpts, when: When): Promise<number[]> {
    const turns = new Turns();
    const network = new NodeNetwork(turns, addon);
    const received: number[] = [];
    const client = new Client();
    const gap = (): void => {
      client.writeByte();
    };
    let detached: DetachedSocket | undefined;
    const detach = (socket: Socket): void => {
      gap();
      detached = socket.detach();
      gap();
    };
    let accepted: Socket | undefined;
    const target = new Uint8Array(2);
    const handler: SocketHandler = {
      connected: () => undefined,
      target: () => {
        gap();
        return target;
      },
      filled: (bytes) => {
        gap();
        received.push(...target.subarray(0, bytes));
        if (when === 'in a delivery' && received.length >= 5 && accepted) detach(accepted);
        if (when === 'paused for a while' && received.length >= 5) accepted?.pause();
        gap();
      },
      sent: () => undefined,
      closed: () => {
        throw new Error('given away, not closed');
      },
    };
    let listener: Listener | undefined;
    await new Promise<void>((resolve, reject) => {
      turns.run(() => {
        listener = network.listen(
          address,
          (socket) => {
            gap();
            accepted = socket;
            if (when === 'while accepted') detach(socket);
            return handler;
          },
          (error) => {
            if (error === null) resolve();
            else reject(new Error(error.message));
          },
        );
      });
    });
    await client.connect(options);
    const go = async (condition: () => boolean): Promise<void> => {
      while (!condition()) {
        gap();
        await new Promise(setImmediate);
      }
    };
    await go(() => accepted !== undefined);
    if (when === 'before resumed') turns.run(() => accepted && detach(accepted));
    else if (when !== 'while accepted') turns.run(() => accepted?.resume());
    if (when === 'paused for a while') {
      await go(() => received.length >= 5);
      let rounds = 0;
      await go(() => rounds++ === 10);
      turns.run(() => accepted && detach(accepted));
    }
    await go(() => detached !== undefined);
    if (detached === undefined) throw new Error('not detached');
    const adopted = reported('adopted');
    gap();
    child.send({ unread: detached.unread }, detached.handle as net.Socket);
    gap();
    let isAdopted = false;
    void adopted.then(() => {
      isAdopted = true;
    });
    await go(() => isAdopted);
    gap();
    const closed = reported('closed');
    client.end();
    const report = await closed;
    expect(report.error).toBeNull();
    listener?.close();
    const all = [...received, ...report.bytes];
    expect(all.length).toBe(client.written);
    return all;
  }

  const cases: When[] = ['while accepted', 'before resumed', 'in a delivery', 'paused for a while'];

  it.each(cases)('loses and doubles nothing over TCP when given away %s', async (when) => {
    const port = await freePort();
    const all = await handOver(`tcp4://127.0.0.1:${port}`, { host: '127.0.0.1', port }, when);
    expect(all).toEqual(all.map((_, i) => i & 0xff));
    expect(all.length).toBeGreaterThan(3);
  });

  it.each(cases)('loses and doubles nothing over a Unix socket when given away %s', async (when) => {
    const path = join(folder, 'socket');
    const all = await handOver(`uds://${path}`, { path }, when);
    expect(all).toEqual(all.map((_, i) => i & 0xff));
    expect(all.length).toBeGreaterThan(3);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
