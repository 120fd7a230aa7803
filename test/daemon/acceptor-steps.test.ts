import { describe, expect, it } from 'vitest';
import { Acceptor } from '../../core/daemon/acceptor.js';
import { Access } from '../../core/daemon/access.js';
import { ManagedResource } from '../../core/daemon/managed-resource.js';
import type { DaemonPorts } from '../../core/daemon/ports.js';
import { Resources } from '../../core/daemon/resources.js';
import type { DetachedSocket, Network, Socket, SocketHandler } from '../../core/ports/network.js';
import type { Assignment, Worker, WorkerHandler } from '../../core/ports/workers.js';
import { resourceConfig } from '../../properties/daemon/daemon-world.js';
import { attachFrame, helloFrame } from '../../properties/daemon/primary-side.js';
import { hex, refusal } from './refusal.js';

/** A connection whose events are in the hands of the test. */
class ScriptedSocket implements Socket {
  readonly localAddress = 'tcp://10.0.0.1:8457';
  readonly remoteAddress = 'tcp://10.0.0.2:50000';
  readonly peerUid = null;
  readonly sent: number[] = [];
  destroyed = false;
  handler: SocketHandler | null = null;
  send(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.sent.push(...chunk);
  }
  pause(): void {
    // Nothing comes unless the test says so.
  }
  resume(): void {
    // As above.
  }
  detach(): DetachedSocket {
    return { handle: this, unread: new Uint8Array(0) };
  }
  destroy(): void {
    this.destroyed = true;
  }
  /** The system has taken everything. */
  tellSent(): void {
    this.handler?.sent(this.sent.length);
  }
  receive(bytes: Uint8Array): void {
    this.handler?.target().set(bytes);
    this.handler?.filled(bytes.length);
  }
}

/** An acceptor with one secondary resource, a resolver and workers in the hands of the test. */
function scripted(): {
  connect(): ScriptedSocket;
  resolve(): void;
  endWorker(): void;
  readonly assignments: Assignment[];
  readonly resources: Resources;
  readonly acceptor: Acceptor;
} {
  const answers: (() => void)[] = [];
  const assignments: Assignment[] = [];
  let handler: WorkerHandler | null = null;
  const worker: Worker = {
    pid: 1,
    status: () => undefined,
    reload: () => undefined,
    attach: () => undefined,
    stop: () => undefined,
    kill: () => undefined,
  };
  const ports: DaemonPorts = {
    clock: { now: () => 0, after: () => ({ cancel: () => undefined }) },
    network: {
      resolve: (_address, done) => {
        answers.push(() => {
          done(null, ['10.0.0.2']);
        });
      },
    } as Partial<Network> as Network,
    workers: {
      start: (assignment, itsHandler) => {
        assignments.push(assignment);
        handler = itsHandler;
        return worker;
      },
    },
    hooks: { run: () => undefined },
    entropy: { bytes: (length) => new Uint8Array(length).fill(9) },
    logFor: () => ({ write: () => undefined }),
  };
  const resources = new Resources();
  const resource = new ManagedResource(ports, (provider) => `/${provider}`, resourceConfig());
  resources.append(resource);
  resource.setRole('secondary', false, () => undefined);
  const acceptor = new Acceptor(ports, resources, new Access(ports.clock, ports.network));
  return {
    connect: () => {
      const socket = new ScriptedSocket();
      socket.handler = acceptor.accept(socket);
      return socket;
    },
    resolve: () => {
      for (const answer of answers.splice(0)) answer();
    },
    endWorker: () => {
      handler?.exited(0, null);
    },
    assignments,
    resources,
    acceptor,
  };
}

describe('between two steps', () => {
  const TOKEN = new Uint8Array(16).fill(9);

  it('a resource can go', () => {
    const { connect, resolve, resources } = scripted();
    const socket = connect();
    socket.receive(helloFrame());
    const resource = resources.get('r0');
    if (resource === null) throw new Error('no resource');
    resources.retire(resource, () => undefined);
    resolve();
    expect(hex(socket.sent)).toBe(refusal(2, 'Resource not configured.', false));
  });

  it('a peer can go: while the resolver works, with a token, while its predecessor ends', () => {
    const { connect, resolve, endWorker, assignments, acceptor } = scripted();
    const early = connect();
    early.handler?.closed(null);
    resolve();
    expect(early.sent).toEqual([]);

    const session = (): { connA: ScriptedSocket; connB: ScriptedSocket } => {
      const connA = connect();
      connA.receive(helloFrame());
      connA.tellSent();
      const connB = connect();
      connB.receive(attachFrame(TOKEN));
      return { connA, connB };
    };
    session();
    expect(assignments).toHaveLength(1);

    const greeted = connect();
    greeted.receive(helloFrame());
    greeted.handler?.closed(null);
    const orphan = connect();
    orphan.receive(attachFrame(TOKEN));
    expect(hex(orphan.sent)).toBe(refusal(2, "Token doesn't match.", false));

    const { connA, connB } = session();
    connB.handler?.closed(null);
    expect(connA.destroyed).toBe(true);
    endWorker();
    expect(assignments).toHaveLength(1);

    const last = connect();
    acceptor.close();
    expect(last.destroyed).toBe(true);
  });

  it('the system can be late to tell that the token was sent: the session waits for it', () => {
    const { connect, resolve, assignments } = scripted();
    const connA = connect();
    connA.receive(helloFrame());
    resolve();
    const connB = connect();
    connB.receive(attachFrame(TOKEN));
    expect(assignments).toHaveLength(0);
    connA.tellSent();
    expect(assignments).toHaveLength(1);
  });

  it('meanwhile the peer can go, or the role', () => {
    for (const event of ['the peer goes', 'the role changes'] as const) {
      const { connect, resolve, assignments, resources } = scripted();
      const connA = connect();
      connA.receive(helloFrame());
      resolve();
      const connB = connect();
      connB.receive(attachFrame(TOKEN));
      if (event === 'the peer goes') connB.handler?.closed(null);
      else resources.get('r0')?.setRole('init', false, () => undefined);
      connA.tellSent();
      expect(assignments).toHaveLength(0);
      expect(connA.destroyed).toBe(true);
    }
  });
});
