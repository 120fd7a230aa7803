/**
 * A random history of a two-node cluster with an application on top: crashes, power failures, cut links, bad sectors,
 * role swaps and failovers; then everything heals, and the nodes must become equal with nothing acknowledged missing.
 */
import type { ReplicationMode, ResourceConfig } from '../core/config/types.js';
import { Application } from './application.js';
import { Lan } from './lan.js';
import { SimNode } from './node.js';
import { Random } from './random.js';
import { Scheduler } from './scheduler.js';

export interface StoryResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly acknowledged: number;
  readonly failed: number;
  /** What was done, for people. */
  readonly script: readonly string[];
  readonly nodes: readonly SimNode[];
}

const MEDIA_BYTES = 4096 + 512 + 16 * 8192;
const EXTENT_BYTES = 8192;
const CHUNK_BYTES = 4096;
const HEAL_MS = 400_000;

export class Story {
  readonly #seed: number;
  readonly #random: Random;
  readonly #scheduler = new Scheduler();
  readonly #lan: Lan;
  readonly #application: Application;
  readonly #a: SimNode;
  readonly #b: SimNode;
  readonly #mode: ReplicationMode;
  readonly #script: string[] = [];
  readonly #removeFaults: (() => void)[] = [];
  #primary: SimNode;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed, 'story');
    this.#lan = new Lan(this.#scheduler, seed);
    const configuration = new Random(seed, 'configuration');
    this.#mode = pick(configuration, ['fullsync', 'memsync', 'async'] as const);
    const common = {
      name: 'r0',
      provname: 'r0',
      localpath: '/component',
      sourceaddr: '',
      replication: this.#mode,
      checksum: pick(configuration, ['none', 'crc32', 'sha256'] as const),
      compression: pick(configuration, ['none', 'hole', 'lzf'] as const),
      timeout: 5 + configuration.below(16),
      exec: '/hook',
      metaflush: true,
    };
    const datasize = MEDIA_BYTES - 4608;
    this.#application = new Application(datasize, new Random(seed, 'workload'));
    const node = (name: string, ip: string, peer: string): SimNode => {
      const resource: ResourceConfig = { ...common, remoteaddr: `tcp4://${peer}` };
      const geometry = {
        mediaSize: MEDIA_BYTES,
        extentsize: EXTENT_BYTES,
        keepdirty: 1 + configuration.below(4),
      };
      const options = { name, ip, resource, ...geometry, maxRequestBytes: CHUNK_BYTES };
      return new SimNode(this.#scheduler, this.#lan, seed, options, this.#application);
    };
    this.#a = node('a', '10.0.0.1', '10.0.0.2');
    this.#b = node('b', '10.0.0.2', '10.0.0.1');
    this.#primary = this.#a;
  }

  run(): StoryResult {
    this.#guard(() => {
      this.#begin();
      const acts = 3 + this.#random.below(10);
      for (let i = 0; i < acts; i++) this.#act();
      this.#heal();
    });
    return {
      seed: this.#seed,
      violations: this.#application.violations,
      acknowledged: this.#application.acknowledged,
      failed: this.#application.failed,
      script: this.#script,
      nodes: [this.#a, this.#b],
    };
  }

  /** A broken assertion is a violation like any other. */
  #guard(play: () => void): void {
    try {
      play();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#application.violations.push(`crash: ${text}`);
    }
  }

  get #secondary(): SimNode {
    return this.#primary === this.#a ? this.#b : this.#a;
  }

  #begin(): void {
    for (const node of [this.#a, this.#b]) {
      node.create();
      node.start();
    }
    this.#wait(100);
    this.#b.setRole('secondary');
    this.#wait(this.#random.below(100));
    this.#a.setRole('primary');
    this.#say(`start ${this.#mode}`);
    this.#load(20);
  }

  #say(text: string): void {
    this.#script.push(`${(this.#scheduler.nowMs / 1000).toFixed(3)} ${text}`);
  }

  #wait(durationMs: number): void {
    this.#scheduler.runFor(durationMs);
  }

  /** Application requests with random pauses. */
  #load(requests: number): void {
    for (let i = 0; i < requests; i++) {
      this.#application.act();
      if (this.#random.chance(1, 3)) this.#wait(this.#random.below(20));
    }
  }

  #act(): void {
    const acts = [
      () => this.#killWorker(),
      () => this.#restartSecondary(),
      () => this.#powerFailure(this.#secondary),
      () => this.#powerFailure(this.#primary),
      () => this.#partition(),
      () => this.#badSectors(),
      () => this.#swapRoles(),
      () => this.#failOver(),
      () => {
        this.#load(40);
      },
      () => {
        this.#load(5);
        this.#wait(this.#random.below(30_000));
      },
    ];
    pick(this.#random, acts)();
    this.#load(this.#random.below(30));
    if (this.#random.chance(1, 3)) this.#wait(this.#random.below(20_000));
  }

  #killWorker(): void {
    const node = this.#random.chance(1, 2) ? this.#primary : this.#secondary;
    this.#say(`kill worker of ${node.name}`);
    node.killWorker();
  }

  #restartSecondary(): void {
    const node = this.#secondary;
    this.#say(`kill all of ${node.name}`);
    node.killAll();
    this.#load(this.#random.below(30));
    this.#wait(this.#random.below(40_000));
    this.#restart(node, 'secondary');
  }

  #powerFailure(node: SimNode): void {
    this.#say(`power failure of ${node.name}`);
    const role = node === this.#primary ? 'primary' : 'secondary';
    node.losePower();
    if (role === 'primary') this.#application.history.powerLost();
    this.#load(this.#random.below(20));
    this.#wait(this.#random.below(60_000));
    node.machine.powerOn();
    this.#restart(node, role);
  }

  #restart(node: SimNode, role: 'primary' | 'secondary'): void {
    this.#say(`start ${node.name} as ${role}`);
    node.start();
    this.#wait(50);
    node.setRole(role);
  }

  #partition(): void {
    const directions = pick(this.#random, ['both', 'to', 'from'] as const);
    this.#say(`cut ${directions}`);
    const { name: p } = this.#primary;
    const { name: s } = this.#secondary;
    if (directions !== 'from') this.#lan.cut(p, s);
    if (directions !== 'to') this.#lan.cut(s, p);
    this.#load(this.#random.below(30));
    this.#wait(this.#random.below(60_000));
    this.#load(this.#random.below(10));
    this.#healLinks();
    this.#say('heal links');
  }

  #healLinks(): void {
    this.#lan.heal('a', 'b');
    this.#lan.heal('b', 'a');
  }

  #badSectors(): void {
    const node = this.#random.chance(1, 2) ? this.#primary : this.#secondary;
    const operation = this.#random.chance(1, 2) ? 'read' : 'write';
    const times = this.#random.chance(1, 2) ? 'once' : 'always';
    const offset = 4608 + 512 * this.#random.below((MEDIA_BYTES - 4608) / 512);
    this.#say(`${operation} error ${times} on ${node.name} at ${String(offset)}`);
    const fault = {
      operation,
      code: 'EIO',
      times,
      offset,
      length: 512 * (1 + this.#random.below(8)),
    } as const;
    this.#removeFaults.push(node.medium.inject(fault));
  }

  /** Orderly: nothing acknowledged may be lost, in any mode (I29). Only from a pair that is in sync. */
  #swapRoles(): void {
    if (!this.#reachSync()) return;
    const old = this.#primary;
    const next = this.#secondary;
    this.#load(this.#random.below(30));
    this.#say(`swap roles: ${next.name} becomes primary`);
    old.setRole('secondary');
    this.#scheduler.runUntil(() => old.role === 'secondary' && !old.hasWorker && !next.hasWorker, 60_000);
    next.setRole('primary');
    this.#primary = next;
    this.#wait(10_000);
  }

  /** The primary host dies while the pair is in sync and the other takes over; async may lose, so it is spared. */
  #failOver(): void {
    if (this.#mode === 'async' || !this.#reachSync()) return;
    const old = this.#primary;
    const next = this.#secondary;
    this.#load(this.#random.below(30));
    this.#wait(this.#random.below(10));
    this.#say(`failover: ${old.name} dies, ${next.name} becomes primary`);
    if (this.#random.chance(1, 2)) old.killAll();
    else old.losePower();
    this.#scheduler.runUntil(() => !next.hasWorker, 60_000);
    next.setRole('primary');
    this.#primary = next;
    this.#wait(15_000);
    this.#load(this.#random.below(30));
    old.machine.powerOn();
    this.#restart(old, 'secondary');
  }

  #reachSync(): boolean {
    for (const remove of this.#removeFaults.splice(0)) remove();
    return this.#scheduler.runUntil(() => this.#inSync(), HEAL_MS);
  }

  /** Told from outside: connected, quiet, and the counters agree. */
  #inSync(): boolean {
    const { a, b } = { a: this.#primary, b: this.#secondary };
    if (!a.hasWorker || !b.hasWorker || this.#application.device === null) return false;
    if (this.#application.outstanding > 0) return false;
    const [ours, theirs] = [a.metadata(), b.metadata()];
    if (ours.resuid === 0n || ours.localcnt !== theirs.remotecnt || ours.remotecnt !== theirs.localcnt)
      return false;
    if (ours.incomplete || theirs.incomplete) return false;
    const log = a.lines.map(({ text }) => text);
    const last = (part: string): number => log.findLastIndex((text) => text.includes(part));
    const done = Math.max(last('Synchronization complete'), last('Nodes are in sync'));
    const undone = [
      'Role changed',
      'Restarting',
      'Disconnected',
      'Synchronization started',
      'Synchronization interrupted',
    ].map(last);
    return done > Math.max(...undone);
  }

  #heal(): void {
    this.#say('heal');
    this.#healLinks();
    for (const node of [this.#a, this.#b]) node.machine.powerOn();
    if (!this.#reachSync()) {
      this.#application.violations.push('liveness: the nodes do not come into sync');
      return;
    }
    this.#wait(10_000);
    const [a, b] = [this.#a.userData(), this.#b.userData()];
    const difference = a.findIndex((byte, at) => byte !== b[at]);
    if (difference !== -1) {
      this.#application.violations.push(
        `I9: copies differ at sector ${String(Math.floor(difference / 512))}`,
      );
    }
    this.#application.checkImage(this.#primary.userData(), this.#primary.name);
    for (const node of [this.#a, this.#b]) {
      if (node.hooks.some((hook) => hook.startsWith('split-brain'))) {
        this.#application.violations.push(`I13: split-brain seen by ${node.name}`);
      }
    }
  }
}

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[random.below(choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
}
