/**
 * The parts of a primary on a disk whose operations the test completes, opposite a peer that says what the test wants.
 * Nothing happens by itself but time and the network, and these only in `run`.
 */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import type { ReplicationMode, ResourceConfig } from '../../core/config/types.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { encodeMetadata, type Metadata } from '../../core/metadata/codec.js';
import { MetadataStore } from '../../core/metadata/store.js';
import type { DeviceCommand } from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import { Parts } from '../../core/primary/parts.js';
import type { ResourceEvent } from '../../core/resource/types.js';
import { simCodecs } from '../../sim/codecs.js';
import { Lan } from '../../sim/lan.js';
import type { LogLine } from '../../sim/log.js';
import { SimMachine, type Booted } from '../../sim/machine.js';
import { Scheduler } from '../../sim/scheduler.js';
import { ManualDisk } from './manual-disk.js';
import { ScriptedSecondary } from './scripted-secondary.js';

export const SECTOR = 512;
export const LOCALOFF = METADATA_BYTES + SECTOR;
export const EXTENT = 4096;
export const PEER = 'tcp4://10.0.0.2:8457';

export interface BenchOptions {
  readonly extents?: number;
  readonly keepdirty?: number;
  readonly maxRequestBytes?: number;
  readonly metadata?: Partial<Metadata>;
  /** The bitmap found on disk. */
  readonly bits?: readonly number[];
  readonly resource?: Partial<ResourceConfig>;
  /** Intake is open from the start. */
  readonly serving?: boolean;
}

export class PrimaryBench {
  readonly scheduler = new Scheduler();
  readonly lan: Lan;
  readonly host: Booted;
  readonly disk: ManualDisk;
  readonly peer: ScriptedSecondary;
  readonly parts: Parts;
  readonly resource: ResourceConfig;
  readonly lines: LogLine[] = [];
  readonly events: ResourceEvent[] = [];
  readonly attempts: string[] = [];
  /** Every answer an application got, by request id. */
  readonly answers = new Map<number, (PortError | null)[]>();
  /** What was read, by request id. */
  readonly buffers = new Map<number, Uint8Array>();
  drains = 0;
  /** Told of every answer, as it is given. */
  answered: (id: number, error: PortError | null) => void = () => undefined;
  #nextId = 1;

  constructor(options: BenchOptions = {}) {
    this.lan = new Lan(this.scheduler, 1);
    this.host = this.#boot('p', '10.0.0.1');
    const { extents = 8, keepdirty = 2 } = options;
    const datasize = extents * EXTENT;
    this.disk = new ManualDisk(LOCALOFF + datasize, (callback) => {
      this.host.process.run(callback);
    });
    const other = this.#boot('s', '10.0.0.2');
    this.peer = new ScriptedSecondary(other, PEER, { datasize, extentsize: EXTENT });
    this.resource = { ...RESOURCE, ...options.resource };
    const metadata = { ...METADATA, datasize, keepdirty, ...options.metadata };
    this.parts = this.#assemble(metadata, options);
    if (options.serving !== false) this.turn(() => this.parts.intake.open());
  }

  turn(callback: () => void): void {
    this.host.process.run(callback);
  }

  /** Lets time pass and messages travel; with `disk`, completes what the disk was asked for meanwhile. */
  run(durationMs: number, disk: 'disk works' | 'disk waits' = 'disk waits'): void {
    if (disk === 'disk waits') {
      this.scheduler.runFor(durationMs);
      return;
    }
    const endMs = this.scheduler.nowMs + durationMs;
    this.disk.completeAll();
    while (this.scheduler.nowMs < endMs) {
      this.scheduler.runFor(Math.min(1, endMs - this.scheduler.nowMs));
      this.disk.completeAll();
    }
  }

  /** A session is up and running, and both nodes agree, unless the peer says otherwise. */
  connect(): void {
    this.turn(() => this.parts.link.connect());
    this.run(50, 'disk works');
    if (this.parts.link.session === null) throw new Error(`no session: ${this.log()}`);
  }

  /** The application asks; a WRITE's data is the request's id, in every 32-bit word. */
  submit(command: DeviceCommand, offset = 0, length = command === 'flush' ? 0 : SECTOR): number {
    const id = this.#nextId++;
    const data = command === 'read' || command === 'write' ? new Uint8Array(length) : null;
    if (command === 'write') new Uint32Array(data?.buffer ?? new ArrayBuffer(0)).fill(id);
    if (data !== null) this.buffers.set(id, data);
    this.answers.set(id, []);
    this.turn(() => this.parts.intake.submit({ id, command, offset, length, data }));
    return id;
  }

  /** `null`: not answered yet; else 'ok' or the error's code. */
  answer(id: number): string | null {
    const answers = this.answers.get(id) ?? [];
    if (answers.length > 1)
      throw new Error(`request ${String(id)} was answered ${String(answers.length)} times`);
    const [answer] = answers;
    if (answer === undefined) return null;
    return answer === null ? 'ok' : answer.code;
  }

  log(): string {
    return this.lines.map(({ level, text }) => `${level} ${text}`).join('\n');
  }

  #boot(name: string, ip: string): Booted {
    const host = this.lan.addHost(name, [ip]);
    return new SimMachine(this.scheduler, this.lan, host, [], 1).boot(name);
  }

  #assemble(metadata: Metadata, options: BenchOptions): Parts {
    const { host, disk } = this;
    this.disk.bytes.set(encodeMetadata(metadata, simCodecs));
    const bits = new Uint8Array(SECTOR);
    bits.set(options.bits ?? []);
    disk.bytes.set(bits, METADATA_BYTES);
    const log = {
      write: (level: LogLine['level'], text: string) => {
        this.lines.push({ level, text });
      },
    };
    const { process, clock, network, entropy } = host;
    const parent = {
      event: (event: ResourceEvent) => {
        this.events.push(event);
      },
      exported: () => undefined,
      exit: () => undefined,
    };
    const devices = {
      create: () => ({ recovered: false, complete: () => undefined, close: () => undefined }),
    };
    const ports = {
      turns: process.turns,
      clock,
      disk,
      network,
      codecs: simCodecs,
      log,
      parent,
      entropy,
      devices,
    };
    const store = new MetadataStore({ disk, codecs: simCodecs, log }, metadata);
    const component = { metadata, bits, durableBits: bits.slice() };
    const limits = { force: false, maxRequestBytes: options.maxRequestBytes ?? 2 * SECTOR };
    return new Parts(
      ports,
      this.resource,
      limits,
      { component, metadata: store },
      {
        answered: (id, error) => {
          this.answers.get(id)?.push(error);
          this.answered(id, error);
        },
        drained: () => {
          this.drains++;
        },
        attempted: (outcome) => {
          this.attempts.push(outcome);
        },
        connected: () => {
          const { link, synchronizer, intake } = this.parts;
          if (link.session === null) return;
          synchronizer.connected(link.session);
          intake.resume();
        },
        disconnected: () => {
          this.parts.synchronizer.interrupted();
        },
      },
    );
  }
}

export const RESOURCE: ResourceConfig = {
  name: 'r0',
  provname: 'r0',
  localpath: '/component',
  remoteaddr: PEER,
  sourceaddr: '',
  replication: 'fullsync',
  checksum: 'none',
  compression: 'none',
  timeout: 20,
  exec: '/hook',
  metaflush: true,
  syncrate: DEFAULT_SYNCRATE,
};

const METADATA: Metadata = {
  resource: 'r0',
  datasize: 0,
  extentsize: EXTENT,
  keepdirty: 2,
  localoff: LOCALOFF,
  resuid: 7n,
  localcnt: 0n,
  remotecnt: 0n,
  prevrole: 'primary',
  incomplete: false,
  localBad: [],
};

export const MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];
