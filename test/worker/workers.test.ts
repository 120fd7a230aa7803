import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket as NetSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import type { ResourceConfig } from '../../core/config/types.js';
import type { DetachedSocket, Listener, Socket, SocketHandler } from '../../core/ports/network.js';
import type { Assignment, Worker } from '../../core/ports/workers.js';
import type { WorkerStatus } from '../../core/resource/types.js';
import { NodeNetwork } from '../../native/tcp.js';
import { WorkerProcesses } from '../../native/worker/workers.js';

const RESOURCE: ResourceConfig = {
  name: 'r0',
  provname: 'p0',
  localpath: '/nonexistent',
  remoteaddr: 'none',
  sourceaddr: '',
  replication: 'memsync',
  checksum: 'none',
  compression: 'hole',
  timeout: 20,
  exec: '',
  metaflush: true,
  syncrate: DEFAULT_SYNCRATE,
};

const PRIMARY: Assignment = { role: 'primary', resource: RESOURCE, force: false, recovers: false };

const SECONDARY = {
  role: 'secondary',
  resource: RESOURCE,
  version: 2,
  handshake: new Uint8Array(8),
} as const;

/** A started worker and what it said, in order; its end is the last entry. */
interface Watched {
  readonly worker: Worker;
  readonly said: string[];
  readonly ended: Promise<string>;
}

const turns = new Turns();
const network = new NodeNetwork(turns);
const logged: string[] = [];
const started = new Set<Worker>();
const listeners = new Set<Listener>();

function workersWith(program: string): WorkerProcesses {
  return new WorkerProcesses({
    turns,
    log: { write: (level, text) => logged.push(`${level} ${text}`) },
    settings: { debugLevel: 0, foreground: false, user: null, maxRequestBytes: 131_072, device: 'nbd' },
    program,
  });
}

const workers = workersWith(fileURLToPath(new URL('stub-worker.js', import.meta.url)));

function start(assignment: Assignment, from = workers): Watched {
  const said: string[] = [];
  let end: (how: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const worker = from.start(assignment, {
    event: (event) => said.push(event),
    exported: (provider) => said.push(`exported ${provider}`),
    exited: (code, signal) => {
      said.push(`exited ${String(code)} ${String(signal)}`);
      end(`${String(code)} ${String(signal)}`);
      started.delete(worker);
    },
  });
  started.add(worker);
  return { worker, said, ended };
}

async function exported({ said }: Watched): Promise<void> {
  await vi.waitFor(() => {
    expect(said).toContain('exported p0');
  }, 10_000);
}

function statusOf(worker: Worker): Promise<WorkerStatus | string | null> {
  return new Promise((resolve) => {
    worker.status((error, status) => {
      resolve(error ?? status);
    });
  });
}

afterEach(() => {
  for (const worker of started) worker.kill();
  for (const listener of listeners) listener.close();
  listeners.clear();
  logged.length = 0;
});

describe('worker processes', () => {
  it('start, answer and stop in order', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    expect(await statusOf(watched.worker)).toMatchObject({ status: 'degraded', writes: watched.worker.pid });
    watched.worker.stop();
    expect(await watched.ended).toBe('0 null');
    expect(watched.said).toEqual(['exported p0', 'disconnect', 'exited 0 null']);
  });

  it.each(['r0', 'n'.repeat(254), 'a/b.c-d_e:f[0]'])('are found by exactly their title: %s', async (name) => {
    const watched = start({ ...PRIMARY, resource: { ...RESOURCE, name } });
    await exported(watched);
    const title = `hastd: ${name} (primary)`;
    const pid = String(watched.worker.pid);
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    expect(commandLine.replace(/\0+$/, '')).toBe(title);
    const pattern = `^hastd: ${name.replace(/[.[\]]/g, '\\$&')} \\(primary\\)$`;
    expect(execFileSync('pgrep', ['-f', pattern], { encoding: 'utf8' }).split('\n')).toContain(pid);
  });

  it('end with the status of a component that cannot be opened', async () => {
    const watched = start({ ...PRIMARY, resource: { ...RESOURCE, localpath: 'missing' } });
    expect(await watched.ended).toBe('66 null');
  });

  it('tell everything that happened before their end', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    watched.worker.reload({ ...RESOURCE, exec: 'exit' });
    expect(await watched.ended).toBe('78 null');
    expect(watched.said.slice(-2)).toEqual(['split-brain', 'exited 78 null']);
    expect(watched.said).toHaveLength(1003);
  });

  it('hear of a reload that comes while they open their component', async () => {
    const watched = start({ ...PRIMARY, resource: { ...RESOURCE, localpath: 'slow' } });
    watched.worker.reload({ ...RESOURCE, exec: 'exit' });
    expect(await watched.ended).toBe('78 null');
  });

  it('die by a signal from a bug', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    watched.worker.reload({ ...RESOURCE, exec: 'throw' });
    expect(await watched.ended).toBe('null SIGABRT');
  });

  it('answer who waits for a status when they die', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    process.kill(watched.worker.pid, 'SIGSTOP');
    const status = statusOf(watched.worker);
    watched.worker.kill();
    expect(await watched.ended).toBe('null SIGKILL');
    expect(await status).toBe('the worker process is gone');
  });

  it('ignore a hangup as primary', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    process.kill(watched.worker.pid, 'SIGHUP');
    expect(await statusOf(watched.worker)).toMatchObject({ status: 'degraded' });
  });

  it('end even when their program cannot be run', async () => {
    expect(await start(PRIMARY, workersWith('/nonexistent/worker.js')).ended).toBe('1 null');
  });

  it('end with a temporary failure when the system cannot start them', async () => {
    const watched = start({ ...PRIMARY, resource: { ...RESOURCE, name: 'n'.repeat(200_000) } });
    expect(watched.said).toEqual([]);
    expect(await watched.ended).toBe('75 null');
    expect(logged).toEqual([expect.stringMatching(/^error Unable to start worker process: .*\.$/)]);
  });
});

/** A listener whose accepted sockets can be awaited, with a handler that takes `wanted` bytes and pauses. */
async function acceptOne(
  address: string,
): Promise<{ client: NetSocket; accepted: Socket; read: Uint8Array[] }> {
  const read: Uint8Array[] = [];
  let accepted: Socket | null = null;
  await new Promise<void>((resolve, reject) => {
    const accept = (socket: Socket): SocketHandler => {
      accepted = socket;
      const target = new Uint8Array(1);
      return {
        connected: () => undefined,
        target: () => target,
        filled: () => {
          read.push(target.slice());
          socket.pause();
        },
        sent: () => undefined,
        closed: () => undefined,
      };
    };
    const listener = network.listen(address, accept, (error) => {
      if (error === null) resolve();
      else reject(new Error(error.message));
    });
    listeners.add(listener);
  });
  const path = address.replace('uds://', '');
  const client = connect(path);
  return vi.waitFor(() => {
    if (accepted === null) throw new Error('nobody connected');
    return { client, accepted, read };
  });
}

describe('handing sockets over', () => {
  function received(client: NetSocket): { bytes: () => string } {
    let bytes = '';
    client.on('data', (chunk) => {
      bytes += chunk.toString('latin1');
    });
    return { bytes: () => bytes };
  }

  /** Bytes that a client writes have arrived here, read or not, when an answer to a later probe could have. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
  }

  it('loses no byte, wherever it comes between', async () => {
    const a = await acceptOne(`uds:///tmp/hast-hand-a-${process.pid}`);
    const b = await acceptOne(`uds:///tmp/hast-hand-b-${process.pid}`);
    const answers = received(b.client);
    a.client.write('1');
    await settle();
    a.accepted.resume();
    a.client.write('23');
    await vi.waitFor(() => {
      expect(a.read).toHaveLength(1);
    });
    a.client.write('4');
    const connA: DetachedSocket = a.accepted.detach();
    a.client.write('5');
    await settle();
    const connB = b.accepted.detach();
    a.client.write('6');
    const watched = start({ ...SECONDARY, connA, connB });
    a.client.write('7');
    await settle();
    a.client.write('8');
    for (const more of 'abcdefghijklmnopqrstuvwxyz') {
      a.client.write(more);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await vi.waitFor(() => {
      expect(answers.bytes()).toBe('2345678abcdefghijklmnopqrstuvwxyz');
    }, 10_000);
    a.client.destroy();
    expect(await watched.ended).toBe('0 null');
    b.client.destroy();
  });

  it('survives a peer that resets before the worker looks', async () => {
    const a = await acceptOne(`uds:///tmp/hast-hand-c-${process.pid}`);
    const b = await acceptOne(`uds:///tmp/hast-hand-d-${process.pid}`);
    const watched = start({ ...SECONDARY, connA: a.accepted.detach(), connB: b.accepted.detach() });
    a.client.destroy();
    b.client.destroy();
    expect(await watched.ended).toBe('0 null');
  });

  it('closes what it could not hand over', async () => {
    const a = await acceptOne(`uds:///tmp/hast-hand-f-${process.pid}`);
    const b = await acceptOne(`uds:///tmp/hast-hand-g-${process.pid}`);
    const closed = Promise.all([a.client, b.client].map((client) => once(client.resume(), 'close')));
    const watched = start(
      { ...SECONDARY, connA: a.accepted.detach(), connB: b.accepted.detach() },
      workersWith('/nonexistent/worker.js'),
    );
    expect(await watched.ended).toBe('1 null');
    await closed;
  });

  it('closes what the worker died over', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    const [one, other] = await Promise.all(
      ['h', 'i'].map((name) => acceptOne(`uds:///tmp/hast-hand-${name}-${process.pid}`)),
    );
    if (one === undefined || other === undefined) throw new Error('two connections');
    process.kill(watched.worker.pid, 'SIGSTOP');
    const closed = Promise.all([one, other].map(({ client }) => once(client.resume(), 'close')));
    watched.worker.attach(one.accepted.detach());
    watched.worker.attach(other.accepted.detach());
    watched.worker.kill();
    await closed;
  });

  it('gives clients of the device to a running worker', async () => {
    const watched = start(PRIMARY);
    await exported(watched);
    const { client, accepted } = await acceptOne(`uds:///tmp/hast-hand-e-${process.pid}`);
    const answers = received(client);
    client.write('early');
    watched.worker.attach(accepted.detach());
    client.write(' and late');
    await vi.waitFor(() => {
      expect(answers.bytes()).toBe('early and late');
    }, 10_000);
    client.destroy();
  });
});
