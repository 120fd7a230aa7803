/**
 * Two nodes on a network, an application on whichever device there is, and the judges, who are told everything that can be
 * seen from outside. A script is done to it step by step.
 */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import type { ResourceConfig } from '../../core/config/types.js';
import { createGeometry } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import { EXIT_NOINPUT, type Role } from '../../core/resource/types.js';
import { Judges } from '../checkers/judges.js';
import { ownCore, type CoreBuild } from '../core-build.js';
import { Lan } from '../lan.js';
import { Marks } from '../marks.js';
import { SimNode, type NodeObserver } from '../node.js';
import { Random } from '../random.js';
import { Scheduler } from '../scheduler.js';
import { printAction } from '../script/print.js';
import {
  BLOCK_BYTES,
  otherNode,
  type Action,
  type CoreName,
  type NodeName,
  type Setup,
  type Step,
} from '../script/script.js';
import { perform } from './actions.js';
import { Client } from './client.js';
import { lookAway } from './conditions.js';
import type { RunResult } from './result.js';
import type { Witness } from './witness.js';
import { Weather } from './weather.js';
import { WorldView } from './world-view.js';

export interface RunOptions {
  /** Builds of the core; `own` is the one this simulator was compiled with, unless there is another here. */
  readonly cores?: Partial<Record<CoreName, CoreBuild>>;
  /** Gets a line of text for everything that happens. */
  readonly tracer?: ((atMs: number, text: string) => void) | null;
  readonly witness?: Witness | null;
}

/** Daemons listen after this time. */
const START_MS = 10;
/** A world in which more happens does not come to rest. */
const MAX_EVENTS = 5_000_000;
/** Somebody looks whether things go on, that often at least. */
const LOOK_MS = 1_000;
/** Steps that only look: they see the news of the step before. */
const LOOKS: ReadonlySet<Action['kind']> = new Set(['until', 'await', 'expect']);
/** Metadata, and a map of one sector. */
const DATA_OFFSET = 4096 + 512;
const ADDRESSES: Readonly<Record<NodeName, string>> = { a: '10.0.0.1', b: '10.0.0.2' };

export class World {
  readonly setup: Setup;
  readonly scheduler: Scheduler;
  readonly lan: Lan;
  readonly nodes: Readonly<Record<NodeName, SimNode>>;
  readonly client: Client;
  readonly judges: Judges;
  readonly view: WorldView;
  readonly marks: Marks;
  readonly weather = new Weather(this);
  /** The node that the operator last wanted to be primary. */
  wanted: NodeName = 'a';
  /** When a new replication mode was given to a node. */
  reloadedMs = -Infinity;
  /** Nodes whose disk cannot flush. */
  readonly flushless = new Set<NodeName>();
  readonly badDisks = new Set<NodeName>();
  disturbed = false;
  excused: string | null = null;
  faults = 0;
  /** Requests for which there was no device. */
  refused = 0;
  /** Hooks and log lines up to which conditions have looked. */
  readonly seen: Record<NodeName, { hooks: number; lines: number }> = {
    a: { hooks: 0, lines: 0 },
    b: { hooks: 0, lines: 0 },
  };
  readonly #forced: Record<NodeName, boolean> = { a: false, b: false };
  readonly snapshots = new Map<NodeName, Uint8Array>();
  readonly #moved = new Set<NodeName>();
  readonly #witness: Witness | null;
  #moves = 0;
  #step = 0;
  #events = 0;
  #lookAtMs = LOOK_MS;
  /** Hooks and log lines so far, without those of requests. */
  #news = 0;

  constructor(setup: Setup, options: RunOptions = {}) {
    this.setup = setup;
    this.scheduler = new Scheduler({ ties: setup.ties, random: new Random(setup.seed, 'ties') });
    this.scheduler.tracer = options.tracer ?? null;
    this.lan = new Lan(this.scheduler, setup.seed);
    this.view = new WorldView(this, setup, DATA_OFFSET);
    this.marks = new Marks(setup, (node) => this.view.metadata(node));
    this.#witness = options.witness ?? null;
    this.judges = new Judges(this.view, () => this.#step, this.#witness);
    this.client = new Client(this.judges, this.scheduler, (node) => this.#forced[node]);
    this.nodes = { a: this.#node('a', options), b: this.#node('b', options) };
    this.#witness?.attend?.(this);
  }

  /** Does every step, then asks the judges for the last time. Before the first one both daemons run, in role init. */
  run(steps: readonly Step[]): RunResult {
    try {
      for (const node of ['a', 'b'] as const) {
        this.marks.action({ kind: 'create', node });
        this.nodes[node].create();
        this.nodes[node].start();
      }
      this.wait(START_MS);
      for (const [index, step] of steps.entries()) {
        this.#step = index;
        const { when } = step;
        this.wait(when.kind === 'after' ? when.ms : Math.max(0, when.ms - this.scheduler.nowMs));
        this.scheduler.note(index);
        this.scheduler.trace(() => `step ${String(index)}: ${printAction(step.action)}`);
        this.#witness?.step?.(index, step);
        this.marks.action(step.action);
        if (!LOOKS.has(step.action.kind)) lookAway(this);
        perform(this, step.action);
        this.weather.acted(step.action);
      }
      this.judges.ended();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.judges.reporter('crash')(text);
    }
    return this.#result();
  }

  /** `hastctl role`. */
  setRole(node: NodeName, role: Role, force = false): void {
    this.judges.roleOrdered(node, this.nodes[node].role, role);
    this.weather.touched(node);
    this.nodes[node].setRole(role, force);
  }

  /** `hastctl create`; a component in use is not touched. */
  create(node: NodeName): void {
    if (this.nodes[node].hasWorker) return;
    this.nodes[node].create();
    this.weather.touched(node);
    this.judges.created(node);
  }

  /** The node gets another address, and both configurations follow. */
  move(node: NodeName): void {
    this.#moved.add(node);
    this.#readdress(node, `10.0.0.${String(10 + this.#moves++)}`);
  }

  /** All disk faults are over; a disk that cannot flush is no fault. */
  repair(node: NodeName): void {
    this.nodes[node].medium.repairAll();
    if (this.flushless.has(node)) this.makeFlushless(node);
  }

  makeFlushless(node: NodeName): void {
    this.flushless.add(node);
    this.nodes[node].medium.inject({ operation: 'flush', code: 'EOPNOTSUPP', times: 'always' });
  }

  /** Data may be lost from now on, and nobody is to blame. */
  excuse(why: string): void {
    this.excused ??= why;
  }

  /** All network faults are over, and every node has the address it had at first. */
  undisturb(): void {
    this.disturbed = false;
    for (const node of ['a', 'b'] as const) this.weather.touched(node);
    for (const node of this.#moved) this.#readdress(node, ADDRESSES[node]);
    this.#moved.clear();
  }

  /** Byte of the component at which a block begins. */
  at(block: number): number {
    return DATA_OFFSET + block * BLOCK_BYTES;
  }

  wait(durationMs: number): void {
    const endMs = this.scheduler.nowMs + durationMs;
    while (this.#lookAtMs < endMs) {
      this.scheduler.runFor(Math.max(0, this.#lookAtMs - this.scheduler.nowMs));
      this.#look();
    }
    this.scheduler.runFor(Math.max(0, endMs - this.scheduler.nowMs));
    this.#checkEvents();
  }

  /**
   * Lets time pass until the condition holds; false when it did not come to hold in time. It is looked at now and then,
   * or also in the very moment of any news: a synchronisation lasts some milliseconds only.
   */
  until(
    condition: () => boolean,
    withinMs: number,
    look: 'now and then' | 'at news' = 'now and then',
  ): boolean {
    const endMs = this.scheduler.nowMs + withinMs;
    for (let stepMs = 1; !condition(); stepMs = Math.min(stepMs * 1.5, 500)) {
      if (this.scheduler.nowMs >= endMs) return false;
      const lookMs = Math.min(this.scheduler.nowMs + Math.ceil(stepMs), endMs);
      const known = this.#news;
      const isNews = (): boolean => look === 'at news' && this.#news !== known;
      if (!this.scheduler.runUntil(isNews, lookMs - this.scheduler.nowMs))
        this.scheduler.runFor(lookMs - this.scheduler.nowMs);
      if (this.scheduler.nowMs >= this.#lookAtMs) this.#look();
      this.#checkEvents();
    }
    return true;
  }

  #look(): void {
    this.#lookAtMs = this.scheduler.nowMs + LOOK_MS;
    this.#checkEvents();
    this.weather.look();
    this.judges.passed();
  }

  #readdress(node: NodeName, ip: string): void {
    this.lan.host(node).ips = [ip];
    const peer = this.nodes[otherNode(node)];
    peer.reload({ ...peer.resource, remoteaddr: `tcp4://${ip}` });
    this.nodes[node].moveTo(ip);
  }

  #checkEvents(): void {
    if (this.scheduler.events - this.#events > MAX_EVENTS) {
      this.#events = this.scheduler.events;
      throw new Error('the world does not come to rest');
    }
  }

  #result(): RunResult {
    const { counts } = this.client;
    const asked = counts.issued + this.refused;
    return {
      violations: this.excused === null ? this.judges.violations : this.#inexcusable(),
      hash: this.scheduler.traceHash,
      events: this.scheduler.events,
      virtualMs: this.scheduler.nowMs,
      requests: { issued: counts.issued, acknowledged: counts.acknowledged, failed: counts.failed },
      faults: this.faults,
      vacuous: asked === 0 || counts.acknowledged * 2 < asked,
      excused: this.excused,
      marks: this.marks.reached,
    };
  }

  /** A disk that lies may cost data, but it is no reason to crash; what a script expects, it expects all the same. */
  #inexcusable(): RunResult['violations'] {
    return this.judges.violations.filter(({ invariant }) => invariant === 'crash' || invariant === 'expect');
  }

  #node(name: NodeName, { cores }: RunOptions): SimNode {
    const { setup } = this;
    const ip = ADDRESSES[name];
    const peer = ADDRESSES[otherNode(name)];
    const { replication, checksum, compression, timeout, extentBytes: extentsize, syncBytesPerS } = setup;
    const resource: ResourceConfig = {
      name: 'r0',
      provname: 'r0',
      localpath: '/component',
      exec: '/hook',
      metaflush: true,
      syncrate:
        syncBytesPerS === 0 ? DEFAULT_SYNCRATE : { leastPerS: syncBytesPerS, mostPerS: syncBytesPerS },
      remoteaddr: `tcp4://${peer}`,
      sourceaddr: '',
      replication,
      checksum,
      compression,
      timeout,
    };
    const mediaSize = DATA_OFFSET + setup.extents * extentsize;
    const geometry = createGeometry(mediaSize, extentsize, 512);
    if (isPortError(geometry) || geometry.localoff !== DATA_OFFSET)
      throw new Error('the map needs one sector');
    const coreName = setup.cores[name];
    const core = cores?.[coreName] ?? (coreName === 'own' ? ownCore : undefined);
    if (core === undefined) throw new Error(`there is no build of the core ${coreName}`);
    const node = new SimNode(
      this.scheduler,
      this.lan,
      setup.seed,
      {
        name,
        ip,
        resource,
        mediaSize,
        extentsize,
        core,
        keepdirty: setup.keepdirty[name],
        maxRequestBytes: setup.maxRequestBytes,
        deviceSurvivesWorker: setup.takeover,
        isCached: setup.cached,
        observer: this.#observer(name),
      },
      this.client.seats[name],
    );
    node.medium.observer = {
      writeStarted: (offset, length, source) => {
        this.scheduler.trace(
          () => `${name}: disk write ${String(offset)}+${String(length)} ${this.#what(offset, source)}`,
        );
        this.judges.diskWriteStarted(name, offset, length, source);
      },
      written: (offset, length) => {
        this.judges.diskWritten(name, offset, length);
      },
      writeEnded: (offset, length) => {
        this.judges.diskWriteEnded(name, offset, length);
      },
      flushed: () => {
        this.scheduler.trace(() => `${name}: disk flushed`);
        this.judges.diskFlushed(name);
      },
      lostPower: () => {
        if (this.flushless.has(name)) this.excuse(`the disk of ${name} cannot flush, and lost its power`);
        this.judges.powerLost(name);
      },
    };
    return node;
  }

  #what(offset: number, source: Uint8Array | null): string {
    if (offset < DATA_OFFSET) return offset < 4096 ? 'metadata' : 'map';
    const block = (offset - DATA_OFFSET) / BLOCK_BYTES;
    const word = source === null ? 0 : new DataView(source.buffer, source.byteOffset).getUint32(0, true);
    return `block ${String(block)} = #${String(word)}`;
  }

  #observer(name: NodeName): NodeObserver {
    const { judges, scheduler } = this;
    return {
      workerStarted: (role, force) => {
        this.#forced[name] = force;
        judges.workerStarted(name, role);
      },
      workerEvent: (role, event) => {
        judges.event(name, role, event);
      },
      workerEnded: (role, code) => {
        judges.workerEnded(name, role, code !== null, code !== EXIT_NOINPUT);
      },
      hookRan: (args) => {
        scheduler.trace(() => `${name}: hook ${args.join(' ')}`);
        this.#news++;
        this.marks.event(name, args);
        judges.hook(name, args);
      },
      logged: (level, text) => {
        scheduler.trace(() => `${name}: ${level} ${text}`);
        if (level !== 'debug2') this.#news++;
        this.marks.logged(name, level, text);
        this.#witness?.logged?.(name, level, text);
      },
      wantsRequests: scheduler.tracer !== null || this.#witness?.logged !== undefined,
    };
  }
}
