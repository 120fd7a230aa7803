/**
 * A main daemon on a simulated host, with workers and hooks that only note what they are asked for, and peers that send
 * any bytes. Virtual time: `run(ms)`.
 */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import type { Config, ResourceConfig } from '../../core/config/types.js';
import type { ControlRequest } from '../../core/control/requests.js';
import { encodeControlRequest } from '../../core/control/requests.js';
import { Daemon } from '../../core/daemon/daemon.js';
import type { Failure } from '../../core/daemon/ports.js';
import type { LeftDevices } from '../../core/ports/device.js';
import { isPortError } from '../../core/ports/error.js';
import type { PortError } from '../../core/ports/error.js';
import type { DetachedSocket, Network, Socket } from '../../core/ports/network.js';
import type { Assignment, Worker, WorkerHandler } from '../../core/ports/workers.js';
import type { WorkerStatus } from '../../core/resource/types.js';
import { decodeHeader, encodeFrame, HEADER_BYTES } from '../../core/wire/frame.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import type { NvPair } from '../../core/wire/nv.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine, type Booted } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';
import { SimSocket } from '../../sim/socket.js';

export const DAEMON = 'tcp4://10.0.0.1:8457';
/** Removing a device takes so long. */
const REMOVAL_MS = 15;

export function resourceConfig(changes: Partial<ResourceConfig> = {}): ResourceConfig {
  return {
    name: 'r0',
    provname: 'r0',
    localpath: '/dev/da0',
    remoteaddr: 'tcp4://10.0.0.2',
    sourceaddr: '',
    replication: 'memsync',
    checksum: 'none',
    compression: 'hole',
    timeout: 20,
    exec: '/hook',
    metaflush: true,
    syncrate: DEFAULT_SYNCRATE,
    ...changes,
  };
}

export function daemonConfig(changes: Partial<Config> = {}): Config {
  return {
    control: '/var/run/hastctl',
    pidfile: '/var/run/hastd.pid',
    listen: ['tcp4://0.0.0.0:8457'],
    resources: [resourceConfig()],
    ...changes,
  };
}

const IDLE: WorkerStatus = {
  status: 'complete',
  dirty: 0,
  extentsize: 2_097_152,
  keepdirty: 64,
  reads: 0,
  writes: 0,
  deletes: 0,
  flushes: 0,
  activemapUpdates: 0,
  readErrors: 0,
  writeErrors: 0,
  deleteErrors: 0,
  flushErrors: 0,
  idleQueue: 256,
  localQueue: 0,
  sendQueue: 0,
  recvQueue: 0,
  doneQueue: 0,
  remoteErrors: 0,
  syncLeft: 0,
  syncRate: 0,
  localCopy: 'complete',
  exported: true,
};

/** A worker process that does as it is told, or not at all. */
export class TestWorker implements Worker {
  readonly assignment: Assignment;
  readonly pid: number;
  readonly attached: DetachedSocket[] = [];
  readonly reloads: ResourceConfig[] = [];
  readonly #later: (callback: () => void) => void;
  readonly #handler: WorkerHandler;
  stops = 0;
  killed = false;
  gone = false;
  /** Ignores `stop`. */
  stubborn = false;
  answersStatus: 'well' | 'badly' | 'never' = 'well';

  constructor(
    assignment: Assignment,
    pid: number,
    later: (callback: () => void) => void,
    handler: WorkerHandler,
  ) {
    this.assignment = assignment;
    this.pid = pid;
    this.#later = later;
    this.#handler = handler;
  }

  status(done: (error: string | null, status: WorkerStatus | null) => void): void {
    if (this.answersStatus === 'never') return;
    this.#later(() => {
      if (this.answersStatus === 'well') done(null, IDLE);
      else done('no idea', null);
    });
  }

  reload(resource: ResourceConfig): void {
    this.reloads.push(resource);
  }

  attach(client: DetachedSocket): void {
    this.attached.push(client);
  }

  stop(): void {
    this.stops++;
    if (!this.stubborn) this.exit(0);
  }

  kill(): void {
    this.killed = true;
    this.exit('SIGKILL');
  }

  /** Ends by itself. */
  exit(how: number | string): void {
    if (this.gone) return;
    this.gone = true;
    this.#later(() => {
      if (typeof how === 'number') this.#handler.exited(how, null);
      else this.#handler.exited(null, how);
    });
  }

  tell(callback: (handler: WorkerHandler) => void): void {
    this.#later(() => {
      callback(this.#handler);
    });
  }
}

/** The other end of a connection: sends what it is told and keeps what it gets. */
export class TestPeer {
  received: Uint8Array = new Uint8Array(0);
  connected = false;
  closed = false;
  readonly #socket: Socket;
  readonly #target = new Uint8Array(65_536);

  constructor(process: Booted, address: string) {
    this.#socket = process.network.dial(address, null, {
      connected: () => {
        this.connected = true;
      },
      target: () => this.#target,
      filled: (bytes) => {
        const grown = new Uint8Array(this.received.length + bytes);
        grown.set(this.received);
        grown.set(this.#target.subarray(0, bytes), this.received.length);
        this.received = grown;
      },
      sent: () => undefined,
      closed: () => {
        this.closed = true;
      },
    });
  }

  send(bytes: Uint8Array): void {
    this.#socket.send([bytes]);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The pairs of the first message received, or null while there is none. */
  answer(): Record<string, NvPair['value']> | null {
    if (this.received.length < HEADER_BYTES) return null;
    const end = HEADER_BYTES + decodeHeader(this.received).listBytes;
    if (this.received.length < end) return null;
    const list = decodeNv(this.received.subarray(HEADER_BYTES, end));
    if (isPortError(list)) return null;
    return Object.fromEntries(list.pairs().map(({ name, value }) => [name, value]));
  }
}

export class DaemonWorld {
  readonly scheduler = new Scheduler();
  readonly lan: Lan;
  readonly daemon: Daemon;
  readonly workers: TestWorker[] = [];
  /** One line per hook run: path and arguments. */
  readonly hooks: string[] = [];
  /** `LEVEL PREFIXtext`. */
  readonly log: string[] = [];
  readonly pidfiles: string[] = [];
  /** User of the programs that connect to Unix sockets; null: the system does not tell. */
  clientUid: number | null = null;
  /** A bug: running a hook throws. */
  hooksThrow = false;
  /** What hast.conf says at the next reload. */
  config: Config | Failure;
  readonly #processes: Readonly<Record<'hastd' | 'client' | 'peer' | 'stranger', Booted>>;

  /** Providers whose devices were to be removed, and what that ended in. */
  readonly removals: string[] = [];
  removalError: PortError | null = null;

  /** `devicesStay`: devices outlive their workers. */
  constructor(config: Config = daemonConfig(), seed = 1, devicesStay = false) {
    this.config = config;
    this.lan = new Lan(this.scheduler, seed);
    const boot = (host: string, ip: string, names: readonly string[]): Booted[] => {
      const machine = new SimMachine(this.scheduler, this.lan, this.lan.addHost(host, [ip]), [], seed);
      return names.map((name) => machine.boot(name));
    };
    const [hastd, client] = boot('hosta', '10.0.0.1', ['hastd', 'client']);
    const [peer] = boot('hostb', '10.0.0.2', ['peer']);
    const [stranger] = boot('hostc', '10.0.0.3', ['stranger']);
    if (hastd === undefined || client === undefined || peer === undefined || stranger === undefined)
      throw new Error('no processes');
    this.#processes = { hastd, client, peer, stranger };
    this.daemon = new Daemon(
      {
        clock: hastd.clock,
        network: this.#withUids(hastd.network),
        entropy: hastd.entropy,
        ...(devicesStay ? { leftDevices: this.#leftDevices(hastd) } : {}),
        workers: { start: (assignment, handler) => this.#startWorker(assignment, handler) },
        hooks: {
          run: (path, args) => {
            if (this.hooksThrow) throw new Error('a bug');
            this.hooks.push([path, ...args].join(' '));
          },
        },
        logFor: (prefix) => ({
          write: (level, text) => {
            this.log.push(`${level} ${prefix}${text}`);
          },
        }),
      },
      {
        parse: () => this.config,
        exportAddress: (provider) => (devicesStay ? null : `/var/run/hast/${provider}`),
        mayCommand: (uid) => uid === 0,
        pidfileChanged: (path) => {
          this.pidfiles.push(path);
        },
      },
      config,
    );
  }

  /** Starts the daemon; what it says to that. */
  start(): Failure | null {
    let result: Failure | null = null;
    this.in(() => {
      this.daemon.start((failure) => {
        result = failure;
      });
    });
    this.run(10);
    return result;
  }

  run(durationMs: number): void {
    this.scheduler.runFor(durationMs);
  }

  /** Something that happens to the daemon, as one turn. */
  in(callback: () => void): void {
    this.#processes.hastd.process.run(callback);
  }

  peer(address = DAEMON): TestPeer {
    return new TestPeer(this.#processes.peer, address);
  }

  stranger(): TestPeer {
    return new TestPeer(this.#processes.stranger, DAEMON);
  }

  /** A program on the daemon's own host. */
  client(address: string): TestPeer {
    return new TestPeer(this.#processes.client, address);
  }

  /** Whether somebody listens there. */
  reachable(address: string): boolean {
    const client = this.client(address);
    this.run(20);
    client.close();
    return client.connected;
  }

  /** Takes over a socket that the daemon gave away; everything that a worker would read from it. */
  readAll(detached: DetachedSocket): () => Uint8Array {
    const bytes: number[] = [];
    const target = new Uint8Array(4096);
    const { client } = this.#processes;
    const socket = client.network.adopt(detached, {
      connected: () => undefined,
      target: () => target,
      filled: (count) => {
        bytes.push(...target.subarray(0, count));
      },
      sent: () => undefined,
      closed: () => undefined,
    });
    socket.resume();
    return () => Uint8Array.from(bytes);
  }

  /** hastctl's connection, with its request under way. */
  control(request: ControlRequest): TestPeer {
    const hastctl = this.client('/var/run/hastctl');
    hastctl.send(encodeFrame(2, encodeControlRequest(request)));
    return hastctl;
  }

  role(role: 'init' | 'primary' | 'secondary', name = 'r0', force = false): TestPeer {
    const hastctl = this.control({ kind: 'setrole', role, force, names: [name] });
    this.run(10);
    return hastctl;
  }

  worker(index = this.workers.length - 1): TestWorker {
    const worker = this.workers.at(index);
    if (worker === undefined) throw new Error(`no worker ${index}`);
    return worker;
  }

  logged(text: string): number {
    return this.log.filter((line) => line.includes(text)).length;
  }

  #leftDevices(hastd: Booted): LeftDevices {
    return {
      remove: (provider, done) => {
        this.removals.push(provider);
        hastd.clock.after(REMOVAL_MS, () => {
          done(this.removalError);
        });
      },
    };
  }

  /** Every accepted connection is one of `clientUid`. */
  #withUids(network: Network): Network {
    return {
      dial: (remote, source, handler) => network.dial(remote, source, handler),
      adopt: (detached, handler) => network.adopt(detached, handler),
      resolve: (address, done) => {
        network.resolve(address, done);
      },
      listen: (address, accept, done) =>
        network.listen(
          address,
          (socket) => {
            if (socket instanceof SimSocket) socket.peerUid = this.clientUid;
            return accept(socket);
          },
          done,
        ),
    };
  }

  #startWorker(assignment: Assignment, handler: WorkerHandler): Worker {
    const later = (callback: () => void): void => {
      this.scheduler.after(1, () => {
        this.in(callback);
      });
    };
    const worker = new TestWorker(assignment, 1001 + this.workers.length, later, handler);
    this.workers.push(worker);
    return worker;
  }
}
