/**
 * A random history of a two-node cluster with an application on top: crashes, power failures, cut links, bad disks,
 * role swaps, failovers, split-brain; then everything heals, and the nodes must become equal with nothing
 * acknowledged missing. What is expected is known from what was done and who acknowledged what, never from the nodes.
 */
import type { ReplicationMode } from '../core/config/types.js';
import { Cluster, DATA_OFFSET, HEAL_MS, MODES, pick } from './cluster.js';
import type { SimNode } from './node.js';
import { Random } from './random.js';
import { Split } from './split.js';

export interface StoryResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly acknowledged: number;
  readonly failed: number;
  /** What was done, for people. */
  readonly script: readonly string[];
  readonly nodes: readonly SimNode[];
}

const EXTENT_BYTES = 8192;
const DATA_BYTES = 16 * EXTENT_BYTES;
const CHUNK_BYTES = 4096;
/** What nodes say when the other one takes a new role, or is reloaded: they cannot know why it goes. */
const PARTING = /^Unable to receive request header|exitcode=75|^Handshake with .* failed: the peer closed/;
/** Everything sent has arrived, and everything received is executed. */
const QUIET_MS = 500;

export class Story {
  readonly #seed: number;
  readonly #random: Random;
  readonly #cluster: Cluster;
  /** Nothing goes wrong in this one, and so nothing may fail. */
  readonly #calm: boolean;
  #mode: ReplicationMode;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed, 'story');
    const configuration = new Random(seed, 'configuration');
    this.#mode = pick(configuration, MODES);
    this.#calm = configuration.chance(1, 8);
    this.#cluster = new Cluster(seed, {
      datasize: DATA_BYTES,
      extentsize: EXTENT_BYTES,
      maxRequestBytes: CHUNK_BYTES,
      keepdirty: [1 + configuration.below(4), 1 + configuration.below(4)],
      resource: {
        replication: this.#mode,
        checksum: pick(configuration, ['none', 'crc32', 'sha256'] as const),
        compression: pick(configuration, ['none', 'hole', 'lzf'] as const),
        timeout: 5 + configuration.below(16),
      },
    });
  }

  run(): StoryResult {
    this.#guard(() => {
      this.#begin();
      const acts = 3 + this.#random.below(10);
      for (let i = 0; i < acts; i++) this.#act();
      this.#end();
    });
    const { a, b, script, application } = this.#cluster;
    return {
      seed: this.#seed,
      violations: application.violations,
      acknowledged: application.acknowledged,
      failed: application.failed,
      script,
      nodes: [a, b],
    };
  }

  /** A broken assertion is a violation like any other. */
  #guard(play: () => void): void {
    try {
      play();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#violated(`crash: ${text}`);
    }
  }

  #violated(text: string): void {
    this.#cluster.application.violations.push(text);
  }

  #begin(): void {
    const cluster = this.#cluster;
    const { a, b } = cluster;
    cluster.boot();
    cluster.say(`start ${this.#mode}${this.#calm ? ', calm' : ''}`);
    const opening = this.#calm ? 0 : this.#random.below(8);
    if (opening === 7) {
      this.#split('virgin');
      return;
    }
    if (opening === 6) {
      cluster.say('the first writes are made alone');
      a.setRole('primary');
      this.#wait(5_000);
      this.#load(10);
      this.#wait(5_000);
    }
    b.setRole('secondary');
    this.#wait(this.#random.below(100));
    a.setRole('primary');
    this.#load(20);
  }

  #act(): void {
    const calm = [
      () => this.#swapRoles(),
      () => this.#reload(),
      () => {
        this.#load(40);
      },
      () => {
        this.#load(5);
        this.#wait(this.#random.below(30_000));
      },
    ];
    const { primary, secondary } = this.#cluster;
    const wild = [
      () => this.#killWorker(),
      () => this.#restartSecondary(),
      () => this.#powerFailure(secondary),
      () => this.#powerFailure(primary),
      () => this.#partition(),
      () => this.#badSectors(),
      () => this.#badFlush(),
      () => this.#blackout(),
      () => this.#failOver(),
      () => this.#failBack(),
      () => this.#promoteTarget(),
      () => this.#split('in sync'),
    ];
    pick(this.#random, this.#calm ? calm : [...calm, ...wild])();
    this.#load(this.#random.below(30));
    if (this.#random.chance(1, 3)) this.#wait(this.#random.below(20_000));
  }

  #wait(durationMs: number): void {
    this.#cluster.wait(durationMs);
  }

  /** Application requests with random pauses. */
  #load(requests: number, application = this.#cluster.application): void {
    for (let i = 0; i < requests; i++) {
      application.act();
      if (this.#random.chance(1, 3)) this.#wait(this.#random.below(20));
    }
  }

  #killWorker(): void {
    const node = this.#random.chance(1, 2) ? this.#cluster.primary : this.#cluster.secondary;
    this.#cluster.say(`kill worker of ${node.name}`);
    node.killWorker();
  }

  #restartSecondary(): void {
    const node = this.#cluster.secondary;
    this.#cluster.say(`kill all of ${node.name}`);
    node.killAll();
    this.#load(this.#random.below(30));
    this.#wait(this.#random.below(40_000));
    this.#cluster.start(node, 'secondary');
  }

  #powerFailure(node: SimNode): void {
    const role = node === this.#cluster.primary ? 'primary' : 'secondary';
    this.#losePower(node);
    this.#load(this.#random.below(20));
    this.#wait(this.#random.below(60_000));
    node.machine.powerOn();
    this.#cluster.start(node, role);
  }

  #losePower(node: SimNode): void {
    const { primary, application } = this.#cluster;
    this.#cluster.say(`power failure of ${node.name}`);
    // While the primary is out of date the other node is the one that has everything.
    if (node === primary || primary.metadata().incomplete) application.history.powerLost();
    node.losePower();
  }

  #partition(): void {
    this.#cluster.cut(pick(this.#random, ['both', 'to', 'from'] as const));
    this.#load(this.#random.below(30));
    this.#wait(this.#random.below(60_000));
    this.#load(this.#random.below(10));
    this.#cluster.healLinks();
    this.#cluster.say('heal links');
  }

  /** Anywhere: metadata, activemap or data. */
  #badSectors(): void {
    const node = this.#random.chance(1, 2) ? this.#cluster.primary : this.#cluster.secondary;
    const operation = this.#random.chance(1, 2) ? 'read' : 'write';
    const from = this.#random.chance(1, 4) ? 0 : DATA_OFFSET;
    this.#badSector(node, operation, this.#random.chance(1, 2) ? 'once' : 'always', from);
  }

  #badSector(node: SimNode, operation: 'read' | 'write', times: 'once' | 'always', from: number): void {
    const offset = from + 512 * this.#random.below((DATA_OFFSET + DATA_BYTES - from) / 512);
    const length = 512 * (1 + this.#random.below(8));
    this.#cluster.inject(node, { operation, code: 'EIO', times, offset, length });
  }

  #badFlush(): void {
    const node = this.#random.chance(1, 2) ? this.#cluster.primary : this.#cluster.secondary;
    const times = this.#random.chance(1, 2) ? 'once' : 'always';
    this.#cluster.inject(node, { operation: 'flush', code: 'EIO', times });
  }

  /** Another replication mode under load, on both nodes. */
  #reload(): void {
    this.#mode = pick(this.#random, MODES);
    this.#cluster.say(`reload: ${this.#mode}`);
    for (const node of [this.#cluster.a, this.#cluster.b]) {
      node.reload({ ...node.resource, replication: this.#mode });
      this.#load(this.#random.below(5));
    }
  }

  /** Everything acknowledged is on both nodes. The history's time of that moment, or null when it does not come. */
  #quiet(): number | null {
    const cluster = this.#cluster;
    if (!cluster.reachSync()) return null;
    this.#wait(QUIET_MS);
    return cluster.inSync() ? cluster.application.history.now : null;
  }

  /** Orderly: nothing acknowledged may be lost, in any mode (I29). Only from a pair that is in sync. */
  #swapRoles(): void {
    const cluster = this.#cluster;
    if (this.#quiet() === null) return;
    const { primary: old, secondary: next } = cluster;
    this.#load(this.#random.below(30));
    cluster.say(`swap roles: ${next.name} becomes primary`);
    old.setRole('secondary');
    cluster.until(() => old.role === 'secondary' && !old.hasWorker && !next.hasWorker);
    cluster.application.settle(next.userData(), next.name);
    next.setRole('primary');
    cluster.primary = next;
    this.#wait(10_000);
  }

  /**
   * The primary dies while the pair is in sync and the other takes over: it has everything acknowledged, in async mode all
   * but the writes since the last quiet moment. How many sectors lack theirs; null when the pair was not in sync.
   */
  #takeOver(): number | null {
    const cluster = this.#cluster;
    const since = this.#quiet();
    if (since === null) return null;
    const { primary: old, secondary: next } = cluster;
    this.#load(this.#random.below(30));
    this.#wait(this.#random.below(10));
    cluster.say(`failover: ${old.name} dies, ${next.name} becomes primary`);
    if (this.#random.chance(1, 2)) old.killAll();
    else old.losePower();
    cluster.until(() => !next.hasWorker);
    const lost = cluster.application.settle(next.userData(), next.name, this.#mayLack(since));
    next.setRole('primary');
    cluster.primary = next;
    this.#wait(15_000);
    this.#load(this.#random.below(30));
    return lost;
  }

  #mayLack(since: number): number {
    return this.#mode === 'async' ? since : Infinity;
  }

  #failOver(): void {
    const cluster = this.#cluster;
    const old = cluster.primary;
    const lost = this.#takeOver();
    if (lost === null) return;
    old.machine.powerOn();
    const told = old.lines.length;
    cluster.start(old, 'secondary');
    if (lost === 0 || !cluster.reachSync()) return;
    cluster.say(`${String(lost)} sectors were not replicated`);
    const warned = old.lines.slice(told).some(({ text }) => text.includes('are overwritten'));
    if (!warned) this.#violated('async: lost writes are not reported');
  }

  /** Back to the first node at once, which must then copy from the other (R2). */
  #failBack(): void {
    const cluster = this.#cluster;
    const old = cluster.primary;
    if (this.#takeOver() === null) return;
    const { primary: next, application } = cluster;
    const takenOverAt = application.history.now;
    this.#load(10);
    this.#wait(2_000);
    old.machine.powerOn();
    if (application.lastAcknowledgedIssue < takenOverAt) {
      cluster.start(old, 'secondary');
      return;
    }
    cluster.say(`fail back to ${old.name}`);
    next.setRole('secondary');
    cluster.until(() => next.role === 'secondary' && !next.hasWorker);
    const before = old.hooks.length;
    // A sector that cannot be copied keeps the first node out of date until the disk is repaired.
    if (this.#random.chance(1, 2)) this.#badSector(next, 'read', 'always', DATA_OFFSET);
    cluster.start(old, 'primary');
    cluster.primary = old;
    // Until it has met the other node it cannot know that its copy is old (R9).
    if (cluster.until(() => old.hooks.slice(before).includes('connect r0'))) this.#interrupt();
  }

  /** Something happens in the first moments of a session. */
  #interrupt(): void {
    if (this.#random.chance(1, 3)) return;
    this.#wait(this.#random.below(60));
    const { primary, secondary } = this.#cluster;
    const interruptions = [
      () => this.#killWorker(),
      () => this.#partition(),
      () => this.#powerFailure(primary),
      () => this.#powerFailure(secondary),
    ];
    pick(this.#random, interruptions)();
  }

  /** The primary dies while it is copying to the other node, which may then not be used alone (W8). */
  #promoteTarget(): void {
    const cluster = this.#cluster;
    const since = this.#quiet();
    if (since === null) return;
    const { primary: old, secondary: next, application } = cluster;
    next.killAll();
    cluster.say(`kill all of ${next.name}`);
    this.#load(20);
    this.#wait(2_000 + this.#random.below(30_000));
    cluster.start(next, 'secondary');
    cluster.until(() => next.hasWorker, 30_000);
    this.#wait(this.#random.below(50));
    cluster.say(`kill all of ${old.name}`);
    old.killAll();
    cluster.until(() => !next.hasWorker);
    if (!next.metadata().incomplete) {
      cluster.start(old, 'primary');
      return;
    }
    cluster.say(`${next.name}, incomplete, becomes primary`);
    next.setRole('primary');
    cluster.primary = next;
    this.#wait(10_000);
    if (application.device !== null) this.#violated('I18: an incomplete copy is offered');
    cluster.start(old, 'secondary');
    cluster.until(() => application.device !== null, 30_000);
    this.#interrupt();
  }

  /** Both nodes go down at once, and come back with the same roles or with exchanged ones (R17, R18). */
  #blackout(): void {
    const cluster = this.#cluster;
    const exchange = this.#random.chance(1, 2);
    const since = exchange ? this.#quiet() : cluster.application.history.now;
    if (since === null) return;
    const { primary, secondary, application } = cluster;
    this.#load(this.#random.below(20));
    const power = this.#random.chance(1, 2);
    cluster.say(`${power ? 'power failure' : 'kill -9'} of both nodes`);
    if (power) application.history.powerLost();
    for (const node of [primary, secondary]) {
      if (power) node.losePower();
      else node.killAll();
    }
    this.#wait(this.#random.below(5_000));
    for (const node of [primary, secondary]) node.machine.powerOn();
    // What memsync has acknowledged may have been in the memory of a secondary that is gone, too.
    if (exchange)
      application.settle(secondary.userData(), secondary.name, this.#mode === 'fullsync' ? Infinity : since);
    cluster.primary = exchange ? secondary : primary;
    cluster.start(cluster.secondary, 'secondary');
    cluster.start(cluster.primary, 'primary');
  }

  #split(from: 'virgin' | 'in sync'): void {
    const cluster = this.#cluster;
    const since = from === 'virgin' ? 0 : this.#quiet();
    if (since === null) return;
    const split = new Split(cluster, this.#random, from, (application) => {
      this.#load(this.#random.below(10), application);
    });
    split.play(since, this.#mayLack(since));
  }

  #end(): void {
    const cluster = this.#cluster;
    cluster.say('heal');
    cluster.healLinks();
    for (const node of [cluster.a, cluster.b]) node.machine.powerOn();
    if (!cluster.reachSync(HEAL_MS)) {
      this.#violated('liveness: the nodes do not come into sync');
      return;
    }
    this.#wait(10_000);
    const difference = cluster.difference();
    if (difference !== -1) this.#violated(`I9: copies differ at sector ${String(difference)}`);
    cluster.application.checkImage(cluster.primary.userData(), cluster.primary.name);
    if (this.#calm) this.#checkCalm();
    for (const node of [cluster.a, cluster.b]) {
      const splits = node.hooks.filter((hook) => hook.startsWith('split-brain')).length;
      if (splits > cluster.splits) this.#violated(`I13: split-brain seen by ${node.name}`);
    }
  }

  #checkCalm(): void {
    const { application, a, b } = this.#cluster;
    if (application.failed > 0) this.#violated(`calm: ${String(application.failed)} requests failed`);
    for (const { level, text } of [...a.lines, ...b.lines]) {
      if (level === 'error' && !PARTING.test(text)) this.#violated(`calm: ${text}`);
    }
  }
}
