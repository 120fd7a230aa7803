/**
 * Two nodes, a network between them and an application on whichever offers its device: the world of stories and
 * scenarios, with what an operator can do to it.
 */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import type { ResourceConfig } from '../../core/config/types.js';
import type { PortError } from '../../core/ports/error.js';
import { Application } from '../primary/application.js';
import type { DeviceUser, SimDevice } from '../../sim/devices.js';
import type { DiskFault } from '../../sim/disk-faults.js';
import { Lan } from '../../sim/lan.js';
import type { LogLine } from '../../sim/log.js';
import { SimNode } from '../../sim/node.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

/** Everything in front of the user data: metadata and activemap. */
export const DATA_OFFSET = 4608;

export interface ClusterOptions {
  /** Bytes of user data on each node. */
  readonly datasize: number;
  readonly extentsize: number;
  /** Longest READ or WRITE on the wire, bytes. */
  readonly maxRequestBytes: number;
  readonly keepdirty: readonly [a: number, b: number];
  readonly resource: Partial<ResourceConfig>;
}

/** Who uses the device of a node; after a split each node has an application of its own. */
class Seat implements DeviceUser {
  application: Application;

  constructor(application: Application) {
    this.application = application;
  }

  deviceAppeared(device: SimDevice): void {
    this.application.deviceAppeared(device);
  }

  deviceVanished(device: SimDevice): void {
    this.application.deviceVanished(device);
  }

  answered(requestId: number, error: PortError | null): void {
    this.application.answered(requestId, error);
  }
}

/** Longer than any back-off of the core, twice. */
const HEAL_MS = 700_000;

export class Cluster {
  readonly scheduler = new Scheduler();
  readonly lan: Lan;
  readonly a: SimNode;
  readonly b: SimNode;
  /** What was done, for people. */
  readonly script: string[] = [];
  /** The node that the operator wants to be primary. */
  primary: SimNode;
  /** How often the nodes have refused each other with good reason. */
  splits = 0;
  readonly #seats: ReadonlyMap<SimNode, Seat>;
  #removeFaults: (() => void)[] = [];

  constructor(seed: number, options: ClusterOptions) {
    this.lan = new Lan(this.scheduler, seed);
    const application = new Application(options.datasize, new Random(seed, 'workload'));
    const node = (name: string, ip: string, peer: string, keepdirty: number): [SimNode, Seat] => {
      const resource: ResourceConfig = { ...DEFAULTS, ...options.resource, remoteaddr: `tcp4://${peer}` };
      const { extentsize, maxRequestBytes } = options;
      const mediaSize = DATA_OFFSET + options.datasize;
      const seat = new Seat(application);
      const all = { name, ip, resource, mediaSize, extentsize, keepdirty, maxRequestBytes };
      return [new SimNode(this.scheduler, this.lan, seed, all, seat), seat];
    };
    const [a, seatOfA] = node('a', '10.0.0.1', '10.0.0.2', options.keepdirty[0]);
    const [b, seatOfB] = node('b', '10.0.0.2', '10.0.0.1', options.keepdirty[1]);
    this.a = this.primary = a;
    this.b = b;
    this.#seats = new Map([
      [a, seatOfA],
      [b, seatOfB],
    ]);
  }

  get secondary(): SimNode {
    return this.other(this.primary);
  }

  other(node: SimNode): SimNode {
    return node === this.a ? this.b : this.a;
  }

  /** The application of the node that should be primary. */
  get application(): Application {
    return this.applicationOf(this.primary);
  }

  applicationOf(node: SimNode): Application {
    return this.#seat(node).application;
  }

  /** From now on `node` has an application of its own, with the common past. */
  split(node: SimNode): Application {
    const seat = this.#seat(node);
    seat.application = seat.application.fork();
    return seat.application;
  }

  /** The application of `survivor` is everybody's from now on; it takes over the device that the primary offers. */
  rejoin(survivor: SimNode): void {
    const device = this.application.device;
    const application = this.applicationOf(survivor);
    if (device !== null && this.application !== application) {
      this.application.deviceVanished(device);
      application.deviceAppeared(device);
    }
    for (const seat of this.#seats.values()) seat.application = application;
  }

  /** Virgin components, both daemons running, nobody has a role. */
  boot(): void {
    for (const node of [this.a, this.b]) {
      node.create();
      node.start();
    }
    this.wait(100);
  }

  say(text: string): void {
    this.script.push(`${(this.scheduler.nowMs / 1000).toFixed(3)} ${text}`);
  }

  wait(durationMs: number): void {
    this.scheduler.runFor(durationMs);
  }

  /** Waits until `condition` holds; false when it did not within `limitMs`. */
  until(condition: () => boolean, limitMs = 60_000): boolean {
    return this.scheduler.runUntil(condition, limitMs);
  }

  start(node: SimNode, role: 'primary' | 'secondary'): void {
    this.say(`start ${node.name} as ${role}`);
    node.start();
    this.wait(50);
    node.setRole(role);
  }

  /** Packets vanish on their way from one node to the other. */
  cut(directions: 'both' | 'to' | 'from' = 'both'): void {
    this.say(`cut ${directions} primary`);
    const { name: p } = this.primary;
    const { name: s } = this.secondary;
    if (directions !== 'to') this.lan.cut(p, s);
    if (directions !== 'from') this.lan.cut(s, p);
  }

  healLinks(): void {
    this.lan.heal('a', 'b');
    this.lan.heal('b', 'a');
  }

  inject(node: SimNode, fault: DiskFault): void {
    const where = fault.offset === undefined ? '' : ` at ${String(fault.offset)}`;
    this.say(`${fault.operation} ${fault.code} ${fault.times} on ${node.name}${where}`);
    this.#removeFaults.push(node.medium.inject(fault));
  }

  removeFaults(): void {
    for (const remove of this.#removeFaults) remove();
    this.#removeFaults = [];
  }

  /** Repairs the disks and waits until the nodes agree; false when they do not. */
  reachSync(limitMs = HEAL_MS): boolean {
    this.removeFaults();
    // A primary whose metadata could not be read or written has fallen back to init.
    if (this.primary.alive && this.primary.role !== 'primary') this.primary.setRole('primary');
    return this.until(() => this.inSync(), limitMs);
  }

  /** Told from outside: connected, quiet, and the counters agree. */
  inSync(): boolean {
    const { primary, secondary, application } = this;
    if (!primary.hasWorker || !secondary.hasWorker || application.device === null) return false;
    if (application.outstanding > 0 || !saysInSync(primary.lines)) return false;
    const [ours, theirs] = [primary.metadata(), secondary.metadata()];
    const agreed = ours.localcnt === theirs.remotecnt && ours.remotecnt === theirs.localcnt;
    return agreed && ours.resuid !== 0n && !ours.incomplete && !theirs.incomplete;
  }

  /** The first sector in which the two copies differ, or -1. */
  difference(): number {
    const [a, b] = [this.a.userData(), this.b.userData()];
    const at = a.findIndex((byte, index) => byte !== b[index]);
    return at === -1 ? -1 : Math.floor(at / 512);
  }

  #seat(node: SimNode): Seat {
    const seat = this.#seats.get(node);
    if (seat === undefined) throw new Error(`no seat on ${node.name}`);
    return seat;
  }
}

/** The last line about it tells. */
function saysInSync(lines: readonly LogLine[]): boolean {
  const about = lines.findLast(({ text }) => DONE.test(text) || UNDONE.test(text));
  return about !== undefined && DONE.test(about.text);
}

const DONE = /Synchronization complete|Nodes are in sync/;
const UNDONE = /Role changed|Restarting|Disconnected|Synchronization (?:started|interrupted)/;

const DEFAULTS: Omit<ResourceConfig, 'remoteaddr'> = {
  name: 'r0',
  provname: 'r0',
  localpath: '/component',
  sourceaddr: '',
  replication: 'memsync',
  checksum: 'none',
  compression: 'hole',
  timeout: 20,
  exec: '/hook',
  metaflush: true,
  syncrate: DEFAULT_SYNCRATE,
};
