/** The Workers port of a simulated main daemon: every worker is a process of its machine, running the core's worker. */
import { assert } from '../core/base/assert.js';
import type { ResourceConfig } from '../core/config/types.js';
import type { Log } from '../core/ports/log.js';
import type { DetachedSocket } from '../core/ports/network.js';
import type { Assignment, Parent, Worker, WorkerHandler, Workers } from '../core/ports/workers.js';
import { EXIT_NOINPUT, type ResourceEvent, type WorkerStatus } from '../core/resource/types.js';
import type { ResourceWorker } from '../core/resource/worker.js';
import { simCodecs } from './codecs.js';
import type { CoreBuild } from './core-build.js';
import { SimDevices, type DeviceHost } from './devices.js';
import type { SimMedium } from './medium.js';
import type { Booted, SimMachine } from './machine.js';
import type { SimProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** Starting a process, and a message between two of them, take so long. */
const SPAWN_MS = 5;
const HOP_MS = 0.05;

/** What somebody outside sees of a node's workers. */
export interface WorkerObserver {
  workerStarted(role: 'primary' | 'secondary', force: boolean): void;
  /** It tells its main daemon. */
  workerEvent(role: 'primary' | 'secondary', event: ResourceEvent): void;
  /** `code`: its own exit; null: by a signal, or with the power. */
  workerEnded(role: 'primary' | 'secondary', code: number | null): void;
}

export interface SimWorkersOptions {
  readonly core: CoreBuild;
  readonly machine: SimMachine;
  readonly scheduler: Scheduler;
  readonly medium: SimMedium;
  readonly devices: DeviceHost;
  readonly log: Log;
  readonly maxRequestBytes: number;
  readonly observer?: WorkerObserver | null;
  /** A worker of an earlier daemon still has the component. */
  readonly isLocked?: (worker: SimWorker) => boolean;
}

export class SimWorkers implements Workers {
  readonly #options: SimWorkersOptions;
  readonly #daemon: SimProcess;
  #nextPid = 100;
  /** The worker that holds the component's lock. */
  current: SimWorker | null = null;

  constructor(options: SimWorkersOptions, daemon: SimProcess) {
    this.#options = options;
    this.#daemon = daemon;
  }

  start(assignment: Assignment, handler: WorkerHandler): Worker {
    assert(this.current?.process.alive !== true, 'two workers on one component');
    this.current = new SimWorker(this.#options, this.#daemon, this.#nextPid++, assignment, handler);
    return this.current;
  }
}

export class SimWorker implements Worker {
  readonly pid: number;
  readonly process: SimProcess;
  readonly #options: SimWorkersOptions;
  readonly #daemon: SimProcess;
  readonly #handler: WorkerHandler;
  /** The channels between the two processes keep their order. */
  readonly #toWorker: number;
  readonly #toDaemon: number;
  #worker: ResourceWorker | null = null;
  #stopAsked = false;
  /** While it was starting. */
  #reloadedEarly: ResourceConfig | null = null;
  #ended = false;
  readonly #role: 'primary' | 'secondary';

  constructor(
    options: SimWorkersOptions,
    daemon: SimProcess,
    pid: number,
    assignment: Assignment,
    handler: WorkerHandler,
  ) {
    this.pid = pid;
    this.#options = options;
    this.#daemon = daemon;
    this.#handler = handler;
    this.#toWorker = options.scheduler.newLane();
    this.#toDaemon = options.scheduler.newLane();
    const booted = options.machine.boot(`worker ${String(pid)}`);
    this.process = booted.process;
    daemon.onDeath(() => {
      this.stop();
    });
    this.process.onDeath(() => {
      this.#exited(null, 'SIGKILL');
    });
    this.#role = assignment.role;
    options.observer?.workerStarted(assignment.role, assignment.role === 'primary' && assignment.force);
    options.scheduler.after(SPAWN_MS, () => {
      this.process.run(() => {
        this.#begin(booted, assignment);
      });
    });
  }

  /** What the worker would answer now. */
  get currentStatus(): WorkerStatus | null {
    return this.#ended ? null : (this.#worker?.status() ?? null);
  }

  status(done: (error: string | null, status: WorkerStatus | null) => void): void {
    this.#inWorker(() => {
      const status = this.#worker?.status() ?? null;
      this.#inDaemon(() => {
        done(status === null ? 'not ready' : null, status);
      });
    });
  }

  reload(resource: ResourceConfig): void {
    this.#inWorker(() => {
      if (this.#worker === null) this.#reloadedEarly = resource;
      else this.#worker.reload(resource);
    });
  }

  attach(_client: DetachedSocket): void {
    assert(false, 'simulated devices have no clients on the network');
  }

  stop(): void {
    this.#stopAsked = true;
    this.#inWorker(() => {
      this.#worker?.stop();
    });
  }

  kill(): void {
    this.process.kill();
  }

  #begin(booted: Booted, assignment: Assignment): void {
    const { core, scheduler, medium, log, maxRequestBytes } = this.#options;
    const parent: Parent = {
      event: (event: ResourceEvent) => {
        this.#options.observer?.workerEvent(this.#role, event);
        this.#inDaemon(() => {
          this.#handler.event(event);
        });
      },
      exported: () => {
        this.#inDaemon(() => {
          this.#handler.exported(assignment.resource.provname);
        });
      },
      exit: (code) => {
        this.#exited(code, null);
        this.#options.devices.exited(this.process);
        this.process.kill();
      },
    };
    const { process, clock, network, entropy } = booted;
    if (this.#options.isLocked?.(this) === true) {
      log.write('error', 'Unable to lock the component: it is locked by another process.');
      parent.exit(EXIT_NOINPUT);
      return;
    }
    const disk = medium.open(scheduler, process);
    const { turns } = process;
    const codecs = simCodecs;
    if (assignment.role === 'secondary') {
      const ports = { turns, clock, disk, network, codecs, log, parent };
      this.#worker = core.startSecondary(ports, assignment.resource, assignment);
    } else {
      const devices = new SimDevices(this.#options.devices, process);
      const ports = { turns, clock, disk, network, codecs, log, parent, entropy, devices };
      const options = { force: assignment.force, maxRequestBytes };
      this.#worker = core.startPrimary(ports, assignment.resource, options);
    }
    if (this.#reloadedEarly !== null) this.#worker.reload(this.#reloadedEarly);
    if (this.#stopAsked) this.#worker.stop();
  }

  #exited(code: number | null, signal: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.observer?.workerEnded(this.#role, code);
    this.#inDaemon(() => {
      this.#handler.exited(code, signal);
    });
  }

  #inWorker(call: () => void): void {
    const { scheduler } = this.#options;
    scheduler.after(HOP_MS, () => this.process.run(call), this.#toWorker);
  }

  #inDaemon(call: () => void): void {
    const { scheduler } = this.#options;
    scheduler.after(HOP_MS, () => this.#daemon.run(call), this.#toDaemon);
  }
}
