/** Two simulated nodes with one application, for scenarios that are told step by step. */
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import type { ResourceConfig } from '../../core/config/types.js';
import { Application } from './application.js';
import { Lan } from '../../sim/lan.js';
import { SimNode, type NodeOptions } from '../../sim/node.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

const DATA_OFFSET = 4608;
export const SECTOR = 512;
export const EXTENT_SECTORS = 16;
const EXTENTS = 8;

export class Pair {
  readonly scheduler: Scheduler;
  readonly lan: Lan;
  readonly app: Application;
  readonly a: SimNode;
  readonly b: SimNode;

  constructor(
    config: Partial<ResourceConfig> = {},
    seed = 1,
    scheduler = new Scheduler(),
    more: Partial<NodeOptions> = {},
  ) {
    this.scheduler = scheduler;
    this.lan = new Lan(this.scheduler, seed);
    const datasize = EXTENTS * EXTENT_SECTORS * SECTOR;
    this.app = new Application(datasize, new Random(seed, 'workload'));
    const node = (name: string, ip: string, peer: string): SimNode => {
      const resource: ResourceConfig = {
        ...{ name: 'r0', provname: 'r0', localpath: '/component', exec: '/hook' },
        ...{
          remoteaddr: `tcp4://${peer}`,
          sourceaddr: '',
          timeout: 10,
          metaflush: true,
          syncrate: DEFAULT_SYNCRATE,
        },
        ...{ replication: 'fullsync', checksum: 'none', compression: 'none' },
        ...config,
      };
      const options = {
        ...{ name, ip, resource, maxRequestBytes: 4096, keepdirty: 2 },
        ...{ mediaSize: DATA_OFFSET + datasize, extentsize: EXTENT_SECTORS * SECTOR },
        ...more,
      };
      return new SimNode(this.scheduler, this.lan, seed, options, this.app);
    };
    this.a = node('a', '10.0.0.1', '10.0.0.2');
    this.b = node('b', '10.0.0.2', '10.0.0.1');
  }

  wait(durationMs: number): void {
    this.scheduler.runFor(durationMs);
  }

  /** Lets time pass until the condition holds, or fails. */
  until(condition: () => boolean, withinMs = 120_000): void {
    if (!this.scheduler.runUntil(condition, withinMs)) throw new Error('it did not happen in time');
  }

  /** Both virgin nodes up, A primary and B secondary, in sync. */
  begin(): void {
    for (const node of [this.a, this.b]) {
      node.create();
      node.start();
    }
    this.wait(100);
    this.b.setRole('secondary');
    this.wait(50);
    this.a.setRole('primary');
    this.inSync(this.a);
  }

  /** Waits until the primary says that the nodes agree, and nothing has happened to that since. */
  inSync(primary: SimNode, withinMs = 120_000): void {
    this.until(() => this.#agreed(primary), withinMs);
    this.settle();
  }

  /** Waits for every answer that is still owed. */
  settle(withinMs = 60_000): void {
    this.until(() => this.app.outstanding === 0, withinMs);
  }

  role(node: SimNode, role: 'init' | 'primary' | 'secondary'): void {
    node.setRole(role);
    this.until(() => node.role === role && (role === 'primary' || !node.hasWorker));
  }

  /** All the daemon and its worker are gone, and the daemon is back, in role init. */
  revive(node: SimNode): void {
    node.machine.powerOn();
    node.start();
    this.wait(50);
  }

  cut(): void {
    this.lan.cut('a', 'b');
    this.lan.cut('b', 'a');
  }

  heal(): void {
    this.lan.heal('a', 'b');
    this.lan.heal('b', 'a');
  }

  /** Where a sector of the device is on the component. */
  static at(sector: number): number {
    return DATA_OFFSET + sector * SECTOR;
  }

  logged(node: SimNode, part: string): boolean {
    return node.lines.some(({ text }) => text.includes(part));
  }

  #agreed(primary: SimNode): boolean {
    const last = (...parts: string[]): number =>
      Math.max(...parts.map((part) => primary.lines.findLastIndex(({ text }) => text.includes(part))));
    const done = last('Synchronization complete', 'Nodes are in sync');
    return done > last('Role changed', 'Restarting', 'Disconnected', 'Synchronization started');
  }
}
