/**
 * The worker process of one resource, child side (core/spec/cli.md section 10): waits for its task, opens the local
 * component, stops being root, runs the core, and ends with the status the core names. Signals, the channel to the
 * main daemon and bugs end here; everything about replication is in core/resource.
 *
 *   connections a and b, start -> component -> privileges -> core -> exit(code)
 *
 * Policy for bugs: whatever was not caught is logged as critical and the process aborts; dying by a signal is
 * what makes the main daemon start it again.
 */
import { Turns } from '../../core/base/turns.js';
import { assert, unreachable } from '../../core/base/assert.js';
import type { ResourceConfig } from '../../core/config/types.js';
import type { Devices } from '../../core/ports/device.js';
import type { Disk } from '../../core/ports/disk.js';
import type { Log } from '../../core/ports/log.js';
import type { DetachedSocket, Network } from '../../core/ports/network.js';
import { EXIT_CONFIG, EXIT_OK, EXIT_TEMPFAIL } from '../../core/resource/types.js';
import { strerror } from '../errors.js';
import { prefixedLog, ProcessLog, resourcePrefix } from '../log.js';
import type { LogSink } from '../log.js';
import { NOBODY } from '../nobody.js';
import type { UserIds } from '../privileges.js';
import type { Parent } from '../../core/ports/workers.js';
import type { FromWorker, ToWorker, WorkerSettings, WorkerTask } from './messages.js';
import type {
  PrimaryOptions,
  PrimaryPorts,
  ResourceWorker,
  SecondarySession,
  WorkerPorts,
} from '../../core/resource/worker.js';

/** What a worker is made of; the program puts the real parts in. */
export interface WorkerParts {
  readonly logSink: (foreground: boolean) => LogSink;
  /** Null, or why the worker cannot go on. */
  readonly dropPrivileges: (user: UserIds) => string | null;
  readonly network: (turns: Turns) => Network;
  readonly openComponent: (path: string, turns: Turns) => Promise<Disk | WorkerFailure>;
  /** Opens what the devices of this task need and another user may not open. */
  readonly openDevices: (task: WorkerTask, settings: WorkerSettings) => DeviceMaker | WorkerFailure;
  readonly ports: (base: BasePorts) => AddedPorts;
  readonly startPrimary: (
    ports: PrimaryPorts,
    resource: ResourceConfig,
    options: PrimaryOptions,
  ) => ResourceWorker;
  readonly startSecondary: (
    ports: WorkerPorts,
    resource: ResourceConfig,
    session: SecondarySession,
  ) => ResourceWorker;
}

/** Why the worker ends before it began; `text` is for the log. */
export interface WorkerFailure {
  readonly exitCode: number;
  readonly text: string;
}

/** What the host itself knows. */
type BasePorts = Pick<PrimaryPorts, 'turns' | 'log' | 'network' | 'disk' | 'parent'>;

/** What the program adds. */
type AddedPorts = Omit<PrimaryPorts, keyof BasePorts | 'devices'>;

/** `attach` takes the clients that the main daemon accepted; missing: they come to the device by themselves. */
export type AttachableDevices = Devices & { attach?(client: DetachedSocket): void };

export type DeviceMaker = (ports: Omit<PrimaryPorts, 'devices'>) => AttachableDevices;

/** How long an orderly end may take when nobody is left to kill us. */
const ORPHAN_LIMIT_MS = 60_000;
/** How long the last messages to the main daemon may take. */
const FAREWELL_MS = 2_000;

/** Turns that do not begin any more once the worker has ended. */
class WorkerTurns extends Turns {
  ended = false;

  override run(callback: () => void): void {
    if (!this.ended) super.run(callback);
  }
}

export class WorkerHost {
  readonly #parts: WorkerParts;
  readonly #turns = new WorkerTurns();
  readonly #network: Network;
  readonly #connections = new Map<'a' | 'b', DetachedSocket>();
  #log: Log;
  #devices: AttachableDevices | null = null;
  #worker: ResourceWorker | null = null;
  readonly #askedEarly: number[] = [];
  #reloadedEarly: ResourceConfig | null = null;
  #started = false;
  #stopping = false;
  #unsent = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#network = parts.network(this.#turns);
    this.#log = new ProcessLog(0, parts.logSink(false));
  }

  /** Takes over the process: from here on it only listens, and ends through `exit` or by a signal. */
  run(): void {
    process.on('uncaughtException', (error) => {
      this.#log.write('crit', `Bug, aborting: ${error.stack ?? error.message}`);
      process.abort();
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        this.#log.write('info', 'Termination signal received, exiting.');
        this.#stop();
      });
    }
    process.on('message', (message, handle) => {
      this.#heard(message as ToWorker, handle);
    });
    process.on('disconnect', () => {
      this.#log.write('error', `Unable to receive control message: ${strerror('ENOTCONN')}.`);
      setTimeout(() => process.exit(EXIT_TEMPFAIL), ORPHAN_LIMIT_MS).unref();
      this.#stop();
    });
    this.#tell({ kind: 'ready' });
  }

  #heard(message: ToWorker, handle: unknown): void {
    switch (message.kind) {
      case 'connection':
        this.#hold(message.which, { handle, unread: message.unread });
        return;
      case 'start':
        void this.#start(message.task, message.settings);
        return;
      case 'attach':
        this.#attach({ handle, unread: message.unread });
        return;
      case 'reload':
        this.#reload(message.resource);
        return;
      case 'status':
        this.#answerStatus(message.id);
        return;
      default:
        unreachable(message);
    }
  }

  /**
   * Node begins to read from a socket that arrives. Adopted and detached in the same tick it stays as it is, losing
   * nothing and telling nobody, until the component is open and the core adopts it.
   */
  #hold(which: 'a' | 'b', connection: DetachedSocket): void {
    this.#connections.set(which, this.#network.adopt(connection, NOBODY).detach());
  }

  #attach(client: DetachedSocket): void {
    this.#turns.run(() => {
      if (this.#devices?.attach !== undefined) this.#devices.attach(client);
      else this.#network.adopt(client, NOBODY).destroy();
    });
  }

  async #start(task: WorkerTask, settings: WorkerSettings): Promise<void> {
    this.#started = true;
    const processLog = new ProcessLog(settings.debugLevel, this.#parts.logSink(settings.foreground));
    this.#log = prefixedLog(processLog, resourcePrefix(task.resource.name, task.role));
    // A primary outlives a hangup of its terminal; a secondary ends, as ever (core/spec/cli.md section 11).
    if (task.role === 'primary') process.on('SIGHUP', () => undefined);
    const component = await this.#parts.openComponent(task.resource.localpath, this.#turns);
    if (this.#stopping) {
      this.#exit(EXIT_OK);
    } else if ('exitCode' in component) {
      this.#log.write('error', component.text);
      this.#exit(component.exitCode);
    } else {
      this.#begin(task, settings, component);
    }
  }

  #begin(task: WorkerTask, settings: WorkerSettings, component: Disk): void {
    const makeDevices = this.#parts.openDevices(task, settings);
    if ('exitCode' in makeDevices) {
      this.#log.write('error', makeDevices.text);
      this.#exit(makeDevices.exitCode);
      return;
    }
    if (!this.#becomeUser(settings.user)) {
      this.#exit(EXIT_CONFIG);
      return;
    }
    this.#turns.run(() => {
      this.#startCore(task, settings, component, makeDevices);
      if (this.#reloadedEarly !== null) this.#worker?.reload(this.#reloadedEarly);
    });
    for (const id of this.#askedEarly.splice(0)) this.#answerStatus(id);
  }

  #becomeUser(user: UserIds | null): boolean {
    if (user === null) return true;
    const failure = this.#parts.dropPrivileges(user);
    if (failure === null) this.#log.write('info', 'Privileges successfully dropped.');
    else this.#log.write('error', `Unable to drop privileges: ${failure}.`);
    return failure === null;
  }

  #startCore(task: WorkerTask, settings: WorkerSettings, disk: Disk, makeDevices: DeviceMaker): void {
    const parent: Parent = {
      event: (event) => {
        this.#tell({ kind: 'event', event });
      },
      exported: () => {
        this.#tell({ kind: 'exported' });
      },
      exit: (code) => {
        this.#exit(code);
      },
    };
    const base = { turns: this.#turns, log: this.#log, network: this.#network, disk, parent };
    const withoutDevices = { ...base, ...this.#parts.ports(base) };
    const devices = makeDevices(withoutDevices);
    this.#devices = devices;
    const ports: PrimaryPorts = { ...withoutDevices, devices };
    if (task.role === 'primary') {
      const options = { force: task.force, maxRequestBytes: settings.maxRequestBytes };
      this.#worker = this.#parts.startPrimary(ports, task.resource, options);
    } else {
      const connA = this.#connections.get('a');
      const connB = this.#connections.get('b');
      assert(connA !== undefined && connB !== undefined, 'both connections come before the start');
      const { version, handshake } = task;
      const session = { version, handshake, connA, connB };
      this.#worker = this.#parts.startSecondary(ports, task.resource, session);
    }
  }

  /** A worker that is still opening its component hears of it as soon as it can. */
  #reload(resource: ResourceConfig): void {
    if (this.#worker === null) this.#reloadedEarly = resource;
    this.#turns.run(() => this.#worker?.reload(resource));
  }

  /** A worker that is still opening its component answers as soon as it can. */
  #answerStatus(id: number): void {
    const worker = this.#worker;
    if (worker === null) {
      this.#askedEarly.push(id);
      return;
    }
    this.#turns.run(() => {
      this.#tell({ kind: 'status', id, status: worker.status() });
    });
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if (!this.#started) this.#exit(EXIT_OK);
    this.#turns.run(() => this.#worker?.stop());
  }

  #tell(message: FromWorker): void {
    if (!process.connected) return;
    this.#unsent += 1;
    process.send?.(message, undefined, undefined, () => {
      this.#unsent -= 1;
      if (this.#turns.ended) this.#leaveWhenTold();
    });
  }

  #exit(code: number): void {
    if (this.#turns.ended) return;
    this.#turns.ended = true;
    process.exitCode = code;
    setTimeout(() => process.exit(), FAREWELL_MS);
    this.#leaveWhenTold();
  }

  /** The main daemon hears of everything that happened before it hears of our end. */
  #leaveWhenTold(): void {
    if (this.#unsent === 0) process.exit();
  }
}
