/**
 * A node of ours, whole and in memory: main daemon and workers on virtual time, with any number of resources. Its
 * disks take the same time for everything, so they answer in order, as the one disk thread of the reference does.
 */
import { assert } from '../../../core/base/assert.js';
import type { Config, ResourceConfig } from '../../../core/config/types.js';
import { Daemon } from '../../../core/daemon/daemon.js';
import { isPortError } from '../../../core/ports/error.js';
import type { Assignment, Worker, WorkerHandler } from '../../../core/ports/workers.js';
import { decodeMetadata, type Metadata } from '../../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../../core/metadata/geometry.js';
import { DEFAULT_MAX_REQUEST_BYTES } from '../../../core/resource/worker.js';
import { encodeNv, nv } from '../../../core/wire/nv.js';
import { simCodecs } from '../../../sim/codecs.js';
import { ownCore } from '../../../sim/core-build.js';
import { DeviceHost } from '../../../sim/devices.js';
import type { Host, Lan } from '../../../sim/lan.js';
import { SimLog } from '../../../sim/log.js';
import { SimMachine } from '../../../sim/machine.js';
import { SimMedium } from '../../../sim/medium.js';
import type { SimProcess } from '../../../sim/process.js';
import { Random } from '../../../sim/random.js';
import type { Scheduler } from '../../../sim/scheduler.js';
import { SimWorkers } from '../../../sim/workers.js';
import { Application } from './application.js';
import { ScriptedConnection } from './connection.js';

const SEED = 1;
const DISK_MS = 0.2;
const CONTROL_LIMIT_MS = 60_000;

/** A resource and the size of its component, bytes. */
export interface ConfiguredResource {
  readonly config: ResourceConfig;
  readonly mediaSize: number;
}

interface Configured extends ConfiguredResource {
  readonly medium: SimMedium;
  readonly application: Application;
}

/** The fields of a metadata block. */
export type StoredMetadata = Omit<Metadata, 'incomplete' | 'localBad' | 'resource'>;

export class ReplayNode {
  readonly machine: SimMachine;
  readonly #log = new SimLog();
  readonly #scheduler: Scheduler;
  readonly #config: Config;
  readonly #resources = new Map<string, Configured>();
  #workers = new Map<string, SimWorkers>();
  #daemon: Daemon | null = null;
  #process: SimProcess | null = null;

  constructor(
    scheduler: Scheduler,
    lan: Lan,
    host: Host,
    where: { readonly control: string; readonly listen: string },
    resources: readonly ConfiguredResource[],
  ) {
    this.#scheduler = scheduler;
    for (const each of resources) {
      const options = { mediaSize: each.mediaSize, minDelayMs: DISK_MS, maxDelayMs: DISK_MS };
      const medium = new SimMedium(new Random(SEED, each.config.localpath), options);
      this.#resources.set(each.config.name, { ...each, medium, application: new Application() });
    }
    const media = [...this.#resources.values()].map(({ medium }) => medium);
    this.machine = new SimMachine(scheduler, lan, host, media, SEED);
    this.#config = {
      control: where.control,
      pidfile: '/var/run/hastd.pid',
      listen: [where.listen],
      resources: resources.map(({ config }) => config),
    };
  }

  get alive(): boolean {
    return this.#process?.alive === true;
  }

  /** The process of the resource's worker is there. */
  hasWorker(resource: string): boolean {
    return this.#workers.get(resource)?.current?.process.alive === true;
  }

  medium(resource: string): SimMedium {
    return this.#of(resource).medium;
  }

  application(resource: string): Application {
    return this.#of(resource).application;
  }

  /** Starts the main daemon; every role is init. */
  start(): void {
    const { process, clock, network, entropy } = this.machine.boot('hastd');
    this.#workers = new Map(
      [...this.#resources].map(([name, { medium, application: user }]) => {
        const { machine } = this;
        const scheduler = this.#scheduler;
        const devices = new DeviceHost(scheduler, user);
        const maxRequestBytes = DEFAULT_MAX_REQUEST_BYTES;
        const options = {
          core: ownCore,
          machine,
          scheduler,
          medium,
          devices,
          log: this.#log,
          maxRequestBytes,
        };
        return [name, new SimWorkers(options, process)];
      }),
    );
    const ports = {
      ...{ turns: process.turns, clock, network, entropy },
      workers: { start: (assignment: Assignment, handler: WorkerHandler) => this.#work(assignment, handler) },
      hooks: { run: () => undefined },
      logFor: () => this.#log,
    };
    const daemon = new Daemon(
      ports,
      {
        parse: () => this.#config,
        exportAddress: (provider) => `/var/run/hast/${provider}`,
        mayCommand: () => true,
        pidfileChanged: () => undefined,
      },
      this.#config,
    );
    let started = false;
    process.run(() => {
      daemon.start((failure) => {
        assert(failure === null, failure?.text ?? '');
        started = true;
      });
    });
    this.#process = process;
    this.#daemon = daemon;
    this.#scheduler.runUntil(() => started, CONTROL_LIMIT_MS);
  }

  /** SIGTERM; returns when the daemon and its workers are gone. */
  stop(): void {
    let stopped = false;
    this.#process?.run(() => {
      this.#daemon?.stop(() => {
        stopped = true;
      });
    });
    this.#scheduler.runUntil(() => stopped, CONTROL_LIMIT_MS);
    this.#process?.kill();
  }

  /** kill -9 of everything. */
  kill(): void {
    for (const workers of this.#workers.values()) workers.current?.process.kill();
    this.#process?.kill();
  }

  /** Sends a request to the control socket; the reply, or null when the daemon closes without one. */
  control(request: readonly Uint8Array[]): Uint8Array | null {
    const { network, process } = this.machine.boot('hastctl');
    const connection = new ScriptedConnection();
    process.run(() => {
      connection.bind(network.dial(this.#config.control, null, connection));
    });
    connection.send(request);
    this.#scheduler.runUntil(() => connection.ended, CONTROL_LIMIT_MS);
    process.kill();
    return connection.received[0]?.frame ?? null;
  }

  /** What the disk says. */
  metadata(resource: string): Metadata {
    const { mediaSize, sectorSize, visible } = this.medium(resource);
    const metadata = decodeMetadata(
      visible.slice(0, METADATA_BYTES),
      { resource, mediaSize, sectorSize },
      simCodecs,
    );
    assert(!isPortError(metadata), isPortError(metadata) ? metadata.message : '');
    return metadata;
  }

  /** The data area as reads see it. */
  userData(resource: string): Uint8Array {
    const { localoff, datasize } = this.metadata(resource);
    return this.medium(resource).visible.subarray(localoff, localoff + datasize);
  }

  /** Puts the nine fields of the reference on the disk, durably. */
  writeMetadata(resource: string, metadata: StoredMetadata): void {
    const block = new Uint8Array(METADATA_BYTES);
    block.set(
      encodeNv([
        nv.string('resource', resource),
        nv.uint64('datasize', metadata.datasize),
        nv.uint32('extentsize', metadata.extentsize),
        nv.uint32('keepdirty', metadata.keepdirty),
        nv.uint64('offset', metadata.localoff),
        nv.uint64('resuid', metadata.resuid),
        nv.uint64('localcnt', metadata.localcnt),
        nv.uint64('remotecnt', metadata.remotecnt),
        nv.string('prevrole', metadata.prevrole),
      ]),
    );
    this.write(resource, 0, block);
  }

  /** Puts bytes on the disk, durably, while nobody uses it. */
  write(resource: string, offset: number, bytes: Uint8Array): void {
    const { visible, durable } = this.medium(resource);
    visible.set(bytes, offset);
    durable.set(bytes, offset);
  }

  #work(assignment: Assignment, handler: WorkerHandler): Worker {
    const workers = this.#workers.get(assignment.resource.name);
    assert(workers !== undefined, 'a worker for a configured resource');
    return workers.start(assignment, handler);
  }

  #of(resource: string): Configured {
    const configured = this.#resources.get(resource);
    assert(configured !== undefined, `no resource ${resource}`);
    return configured;
  }
}
