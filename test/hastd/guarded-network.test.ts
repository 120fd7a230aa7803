import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { GuardedNetwork } from '../../cli/hastd/guarded-network.js';
import { Turns } from '../../core/base/turns.js';
import type { Listener, Socket, SocketHandler } from '../../core/ports/network.js';
import { NodeNetwork } from '../../native/tcp.js';

/** Which of its methods throws. */
type Fault = 'accept' | 'target' | 'filled' | 'closed' | 'none';

async function listening(
  path: string,
  faults: readonly Fault[],
): Promise<{ listener: Listener; logged: string[] }> {
  const logged: string[] = [];
  const network = new GuardedNetwork(new NodeNetwork(new Turns()), {
    write: (level, text) => logged.push(`${level} ${text}`),
  });
  const left = [...faults];
  const fail = (now: Fault, fault: Fault): void => {
    if (now === fault) throw new Error(`bug in ${fault}`);
  };
  const accept = (socket: Socket): SocketHandler => {
    const fault = left.shift() ?? 'none';
    fail('accept', fault);
    socket.resume();
    const target = new Uint8Array(16);
    return {
      connected: () => undefined,
      target: () => {
        fail('target', fault);
        return target;
      },
      filled: (bytes) => {
        fail('filled', fault);
        socket.send([target.slice(0, bytes)]);
      },
      sent: () => undefined,
      closed: () => {
        fail('closed', fault);
      },
    };
  };
  const listener = await new Promise<Listener>((resolve) => {
    const made: Listener = network.listen(`uds://${path}`, accept, () => {
      resolve(made);
    });
  });
  return { listener, logged };
}

describe('the network of the main daemon', () => {
  it.each(['accept', 'target', 'filled', 'closed'] as const)(
    'loses no more than the connection to a bug in %s',
    async (fault) => {
      const path = `/tmp/hast-guard-${process.pid}-${fault}`;
      const { listener, logged } = await listening(path, [fault, 'none']);
      // The connection may be gone before everything is written.
      const victim = connect(path)
        .resume()
        .on('error', () => undefined);
      const neighbour = connect(path);
      victim.write('hello');
      if (fault === 'closed') victim.end();
      await new Promise((resolve) => victim.once('close', resolve));
      neighbour.write('hello');
      const [echo] = (await once(neighbour, 'data')) as [Buffer];
      expect(echo.toString()).toBe('hello');
      await vi.waitFor(() => {
        expect(logged).toEqual([
          expect.stringContaining(`Bug, closing the connection: Error: bug in ${fault}`),
        ]);
      });
      neighbour.destroy();
      listener.close();
    },
  );
});
