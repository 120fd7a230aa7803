/**
 * One simulated HAST node: a machine with one component, a main daemon and its workers, as in production. What the operator
 * and the world can do to it are its methods.
 */
import type { Config, ResourceConfig } from '../core/config/types.js';
import type { Daemon } from '../core/daemon/daemon.js';
import { createGeometry, METADATA_BYTES } from '../core/metadata/geometry.js';
import { decodeMetadata, encodeFreshMetadata, type Metadata } from '../core/metadata/codec.js';
import { isPortError } from '../core/ports/error.js';
import type { Role, WorkerStatus } from '../core/resource/types.js';
import { DEFAULT_MAX_REQUEST_BYTES } from '../core/resource/worker.js';
import { simCodecs } from './codecs.js';
import { ownCore, type CoreBuild } from './core-build.js';
import { DeviceHost, type DeviceUser } from './devices.js';
import { SimMedium } from './medium.js';
import type { Lan } from './lan.js';
import type { LeftDevices } from '../core/ports/device.js';
import type { Log, LogLevel } from '../core/ports/log.js';
import type { LogLine } from './log.js';
import { SimMachine } from './machine.js';
import type { SimProcess } from './process.js';
import { Random } from './random.js';
import type { Scheduler } from './scheduler.js';
import { SimWorkers, type SimWorker, type WorkerObserver } from './workers.js';

/** Removing a device takes so long. */
const REMOVE_MS = 1;

export interface NodeOptions {
  readonly name: string;
  readonly ip: string;
  readonly resource: ResourceConfig;
  readonly mediaSize: number;
  readonly extentsize: number;
  readonly keepdirty: number;
  readonly maxRequestBytes?: number;
  /** Default: our own. */
  readonly core?: CoreBuild;
  /** The device outlives a crash of its worker, and the next worker takes it over (GEOM gate); default: it does not. */
  readonly deviceSurvivesWorker?: boolean;
  /** The component is a file, see `MediumOptions`. */
  readonly isCached?: boolean;
  readonly observer?: NodeObserver;
}

/** What somebody outside sees of a node; see also its medium. */
export interface NodeObserver extends WorkerObserver {
  hookRan(args: readonly string[]): void;
  logged(level: LogLevel, text: string): void;
  /** Wants every request told (`debug2`). */
  readonly wantsRequests: boolean;
}

export class SimNode {
  readonly name: string;
  readonly medium: SimMedium;
  readonly machine: SimMachine;
  /** `event resource ...` of every hook run, with its time. */
  readonly hooks: string[] = [];
  /** What its processes have logged, requests apart. */
  readonly lines: LogLine[] = [];
  resource: ResourceConfig;
  readonly #options: NodeOptions;
  readonly #scheduler: Scheduler;
  readonly #devices: DeviceHost;
  #ip: string;
  #daemon: Daemon | null = null;
  #process: SimProcess | null = null;
  #workers: SimWorkers | null = null;
  #ending: SimProcess | null = null;
  /** The workers of main daemons that are no more. */
  #orphans: readonly SimWorker[] = [];

  constructor(scheduler: Scheduler, lan: Lan, seed: number, options: NodeOptions, user: DeviceUser) {
    this.name = options.name;
    this.resource = options.resource;
    this.#options = options;
    this.#ip = options.ip;
    this.#scheduler = scheduler;
    this.#devices = new DeviceHost(scheduler, user, options.deviceSurvivesWorker);
    const { mediaSize, isCached = false } = options;
    this.medium = new SimMedium(new Random(seed, `disk ${options.name}`), { mediaSize, isCached });
    const host = lan.addHost(options.name, [options.ip]);
    this.machine = new SimMachine(scheduler, lan, host, [this.medium], seed);
  }

  get alive(): boolean {
    return this.#process?.alive === true;
  }

  /** Its main daemon was told to end, and has not ended yet. */
  get isEnding(): boolean {
    return this.#ending !== null && this.#ending === this.#process && this.#ending.alive;
  }

  get role(): Role {
    return this.#daemon?.resources.get(this.resource.name)?.role ?? 'init';
  }

  /** `hastctl create`: a virgin component; its user data stays as it is. */
  create(): void {
    const { extentsize, keepdirty } = this.#options;
    const geometry = createGeometry(this.medium.mediaSize, extentsize, this.medium.sectorSize);
    if (isPortError(geometry)) throw new Error(geometry.message);
    const { datasize, localoff } = geometry;
    const block = encodeFreshMetadata({
      resource: this.resource.name,
      datasize,
      extentsize,
      keepdirty,
      localoff,
    });
    const map = new Uint8Array(geometry.localoff - METADATA_BYTES);
    this.medium.imprint(0, block);
    this.medium.imprint(METADATA_BYTES, map);
  }

  /** Starts the main daemon; every role is init. */
  start(): void {
    const { machine, medium } = this;
    const { process, clock, network, entropy } = machine.boot('hastd');
    const log = this.#log();
    const { maxRequestBytes, core = ownCore, observer = null } = this.#options;
    const left = this.#workers?.current ?? null;
    const orphans = [...this.#orphans, ...(left === null ? [] : [left])];
    this.#orphans = orphans.filter(({ process: { alive } }) => alive);
    const earlier = this.#orphans;
    const options = {
      core,
      machine,
      scheduler: this.#scheduler,
      medium,
      devices: this.#devices,
      log,
      maxRequestBytes: maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES,
      observer,
      isLocked: (worker: SimWorker) => earlier.some((each) => each.process.alive && each !== worker),
    };
    this.#workers = new SimWorkers(options, process);
    const config: Config = {
      control: '/var/run/hastctl',
      pidfile: '/var/run/hastd.pid',
      listen: [`tcp4://${this.#ip}`],
      resources: [this.resource],
    };
    const ports = {
      turns: process.turns,
      clock,
      network,
      entropy,
      ...(this.#options.deviceSurvivesWorker === true ? { leftDevices: this.#leftDevices(process) } : {}),
      workers: this.#workers,
      hooks: {
        run: (_path: string, args: readonly string[]) => {
          this.hooks.push(args.join(' '));
          observer?.hookRan(args);
        },
      },
      logFor: () => log,
    };
    const daemonOptions = {
      parse: () => ({ ...config, listen: [`tcp4://${this.#ip}`], resources: [this.resource] }),
      exportAddress: (provider: string) => `/var/run/hast/${provider}`,
      mayCommand: () => true,
      pidfileChanged: () => undefined,
    };
    this.#process = process;
    const daemon = new core.Daemon(ports, daemonOptions, config);
    this.#daemon = daemon;
    process.run(() => {
      daemon.start((failure) => {
        // As hastd does: it says why, and exits.
        if (failure !== null) process.kill();
      });
    });
  }

  /** `hastctl role`; not waited for. */
  setRole(role: Role, force = false): void {
    this.#process?.run(() => {
      this.#daemon?.resources.get(this.resource.name)?.setRole(role, force, () => undefined);
    });
  }

  reload(resource: ResourceConfig): void {
    this.resource = resource;
    this.#process?.run(() => {
      this.#daemon?.reload();
    });
  }

  /** kill -9 of the worker. */
  killWorker(): void {
    this.#workers?.current?.kill();
    for (const orphan of this.#orphans) orphan.kill();
  }

  /** kill -9 of the main daemon: its workers notice and end. */
  killDaemon(): void {
    this.#process?.kill();
  }

  /** SIGTERM of the main daemon. */
  stop(): void {
    const [process, daemon] = [this.#process, this.#daemon];
    this.#ending = process;
    process?.run(() => daemon?.stop(() => process.kill()));
  }

  /** What `hastctl status` would be told now; null without a worker. */
  get status(): WorkerStatus | null {
    return this.#workers?.current?.currentStatus ?? null;
  }

  get hasWorker(): boolean {
    return [this.#workers?.current, ...this.#orphans].some((worker) => worker?.process.alive === true);
  }

  /** kill -9 of daemon and worker; the operating system lives on. */
  killAll(): void {
    this.killWorker();
    this.#process?.kill();
  }

  losePower(): void {
    this.machine.losePower();
    this.#devices.removeOrphan();
  }

  /** Its machine has another address: the configuration follows. */
  moveTo(ip: string): void {
    this.#ip = ip;
    this.#process?.run(() => {
      this.#daemon?.reload();
    });
  }

  /** SIGSTOP of the daemon or the worker, SIGCONT `durationMs` later; `machine.pause` stops both. */
  pause(which: 'daemon' | 'worker', durationMs: number): void {
    const process = which === 'daemon' ? this.#process : (this.#workers?.current?.process ?? null);
    if (process !== null) this.machine.pauseProcess(process, durationMs);
  }

  /** What is on the disk, as the next process would read it. */
  metadata(): Metadata {
    const { mediaSize, sectorSize } = this.medium;
    const block = this.medium.visible.slice(0, METADATA_BYTES);
    const metadata = decodeMetadata(
      block,
      { resource: this.resource.name, mediaSize, sectorSize },
      simCodecs,
    );
    if (isPortError(metadata)) throw new Error(metadata.message);
    return metadata;
  }

  /** The user data as reads see it. */
  userData(): Uint8Array {
    const { localoff, datasize } = this.metadata();
    return this.medium.visible.subarray(localoff, localoff + datasize);
  }

  #leftDevices(daemon: SimProcess): LeftDevices {
    return {
      remove: (_provider, done) => {
        this.#devices.removeOrphan();
        this.#scheduler.after(REMOVE_MS, () => {
          daemon.run(() => {
            done(null);
          });
        });
      },
    };
  }

  #log(): Log {
    const observer = this.#options.observer ?? null;
    return {
      write: (level, text) => {
        if (level !== 'debug2') this.lines.push({ level, text });
        observer?.logged(level, text);
      },
      wants: (level) => level !== 'debug2' || observer?.wantsRequests === true,
    };
  }
}
