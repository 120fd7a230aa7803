/**
 * Runs random stories of failbacks: `node dist/test/fuzz/failbacks.js [first seed] [how many]`. The roles are swapped at any
 * time, in sync or not, so that primaries are out of date, incomplete, and short of bytes that only the other node has; then
 * either node crashes or loses power, links flap, disks fail or take seconds. Both nodes are up when roles are swapped, so
 * nothing that was acknowledged may be lost and nothing is a split-brain.
 */
import type { SimNode } from '../../sim/node.js';
import { Random } from '../../sim/random.js';
import { Pair } from '../primary/pair.js';

const DATA_BYTES = 8 * 8192;

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[random.below(choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
}

class Failbacks {
  readonly pair: Pair;
  readonly script: string[] = [];
  readonly #random: Random;
  #ends: (() => void)[] = [];
  #primary: SimNode;

  constructor(seed: number) {
    this.#random = new Random(seed, 'failbacks');
    const config = new Random(seed, 'configuration');
    this.pair = new Pair(
      {
        replication: pick(config, ['fullsync', 'memsync', 'async'] as const),
        timeout: 5 + config.below(16),
        checksum: pick(config, ['none', 'crc32'] as const),
      },
      seed,
    );
    this.#primary = this.pair.a;
  }

  run(): readonly string[] {
    const { app } = this.pair;
    try {
      this.pair.begin();
      this.#load(20);
      const acts = 3 + this.#random.below(10);
      for (let i = 0; i < acts; i++) this.#act();
      this.#end();
    } catch (error) {
      app.violations.push(
        `crash: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    return app.violations;
  }

  get #secondary(): SimNode {
    return this.#primary === this.pair.a ? this.pair.b : this.pair.a;
  }

  #say(text: string): void {
    this.script.push(`${(this.pair.scheduler.nowMs / 1000).toFixed(3)} ${text}`);
  }

  #load(requests: number): void {
    for (let i = 0; i < requests; i++) {
      this.pair.app.act();
      if (this.#random.chance(1, 3)) this.pair.wait(this.#random.below(20));
    }
  }

  #act(): void {
    const acts = [
      () => this.#swap(),
      () => this.#failback(),
      () => this.#failback(),
      () => this.#crash(this.#primary),
      () => this.#crash(this.#secondary),
      () => this.#powerFailure(this.#primary),
      () => this.#powerFailure(this.#secondary),
      () => this.#killWorker(),
      () => this.#flap(),
      () => this.#fault(),
      () => this.#slow(),
      () => this.#alone(),
    ];
    pick(this.#random, acts)();
    this.#load(this.#random.below(30));
    if (this.#random.chance(1, 2))
      this.pair.wait(this.#random.below(this.#random.chance(1, 2) ? 100 : 20_000));
  }

  #heal(): void {
    for (const end of this.#ends.splice(0)) end();
    this.pair.heal();
  }

  /** Only with both nodes up; the new primary has heard the old one before anything else happens. */
  #swap(): void {
    const [old, next] = [this.#primary, this.#secondary];
    this.#heal();
    this.#say(`${next.name} becomes primary`);
    this.pair.role(old, 'secondary');
    this.pair.until(() => !next.hasWorker, 60_000);
    const lines = next.lines.length;
    next.setRole('primary');
    this.#primary = next;
    this.pair.until(
      () => next.lines.slice(lines).some(({ text }) => text.startsWith('Connected to')),
      60_000,
    );
  }

  /** The new primary lacks what the old one wrote alone; trouble comes while it is copied. */
  #failback(): void {
    if (this.#random.chance(1, 3)) this.#badSector(this.#primary);
    this.#alone();
    this.#swap();
    this.#slowCopies(this.#secondary);
    this.#load(this.#random.below(10));
    this.pair.wait(this.#random.below(1_000));
    this.#load(this.#random.below(10));
    const node = this.#random.chance(1, 2) ? this.#primary : this.#secondary;
    const troubles = [
      () => this.#crash(node),
      () => this.#powerFailure(node),
      () => this.#powerFailure(node),
      () => this.#killWorker(),
      () => this.#flap(),
      () => this.#swap(),
    ];
    pick(this.#random, troubles)();
  }

  #slowCopies(source: SimNode): void {
    const delayMs = pick(this.#random, [20, 100, 300]);
    const delay = { operation: 'read', delayMs, offset: Pair.at(0), length: DATA_BYTES } as const;
    this.#ends.push(source.medium.slow(delay));
  }

  /** The primary works without its peer for a while. */
  #alone(): void {
    const peer = this.#secondary;
    this.#say(`${peer.name} is away`);
    peer.killAll();
    this.pair.wait(this.#random.below(3_000));
    this.#load(20);
    this.#back(peer);
  }

  #crash(node: SimNode): void {
    this.#say(`${node.name} crashes`);
    node.killAll();
    this.#load(this.#random.below(10));
    this.pair.wait(this.#random.below(this.#random.chance(1, 2) ? 200 : 40_000));
    this.#back(node);
  }

  #powerFailure(node: SimNode): void {
    this.#say(`${node.name} loses power${node.metadata().incomplete ? ', incomplete' : ''}`);
    // While it is out of date, everything acknowledged is safe on its source.
    if (node === this.#primary && !node.metadata().incomplete) this.pair.app.history.powerLost();
    node.losePower();
    this.#load(this.#random.below(10));
    this.pair.wait(this.#random.below(this.#random.chance(1, 2) ? 200 : 40_000));
    this.#back(node);
  }

  #back(node: SimNode): void {
    const role = node === this.#primary ? 'primary' : 'secondary';
    this.#say(`${node.name} is back as ${role}`);
    this.pair.revive(node);
    node.setRole(role);
  }

  #killWorker(): void {
    const node = pick(this.#random, [this.pair.a, this.pair.b]);
    this.#say(`kill worker of ${node.name}`);
    node.killWorker();
  }

  #flap(): void {
    this.#say('links flap');
    for (let i = this.#random.below(4); i >= 0; i--) {
      this.pair.cut();
      this.#load(this.#random.below(5));
      this.pair.wait(this.#random.below(25_000));
      this.pair.heal();
      this.pair.wait(this.#random.below(3_000));
    }
  }

  #fault(): void {
    this.#badSector(pick(this.#random, [this.pair.a, this.pair.b]));
  }

  #badSector(node: SimNode): void {
    const operation = pick(this.#random, ['read', 'write', 'write'] as const);
    const times = pick(this.#random, ['once', 'always'] as const);
    const offset = Pair.at(this.#random.below(128));
    const length = 512 * (1 + this.#random.below(8));
    this.#say(`${operation} error ${times} on ${node.name} at ${String(offset)}, ${String(length)}`);
    this.#ends.push(node.medium.inject({ operation, code: 'EIO', times, offset, length }));
  }

  #slow(): void {
    const node = pick(this.#random, [this.pair.a, this.pair.b]);
    const operation = pick(this.#random, ['read', 'write', 'flush'] as const);
    const delayMs = pick(this.#random, [50, 500, 3_000]);
    const [offset, length] = pick(this.#random, [
      [0, 512],
      [4096, 512],
      [Pair.at(0), DATA_BYTES],
      [Pair.at(this.#random.below(100)), 8 * 512],
    ] as const);
    this.#say(
      `slow ${operation} of ${String(delayMs)} ms on ${node.name} at ${String(offset)}, ${String(length)}`,
    );
    this.#ends.push(node.medium.slow({ operation, delayMs, offset, length }));
  }

  #end(): void {
    this.#say('heal');
    this.#heal();
    const { app } = this.pair;
    // Bytes that are bad on a source are copied when it is primary again.
    for (let swaps = 0; !this.#reachSync(); swaps++) {
      if (swaps === 2) {
        app.violations.push('liveness: the nodes do not come into sync');
        return;
      }
      this.#swap();
    }
    this.pair.wait(10_000);
    const [a, b] = [this.pair.a.userData(), this.pair.b.userData()];
    const difference = a.findIndex((byte, at) => byte !== b[at]);
    if (difference !== -1)
      app.violations.push(`I9: copies differ at sector ${String(Math.floor(difference / 512))}`);
    app.checkImage(this.#primary.userData(), this.#primary.name);
    for (const node of [this.pair.a, this.pair.b]) {
      if (node.hooks.some((hook) => hook.startsWith('split-brain'))) {
        app.violations.push(`I13: split-brain seen by ${node.name}`);
      }
    }
  }

  #reachSync(): boolean {
    try {
      this.pair.inSync(this.#primary, 200_000);
    } catch {
      return false;
    }
    const [ours, theirs] = [this.#primary.metadata(), this.#secondary.metadata()];
    const complete = !ours.incomplete && !theirs.incomplete && ours.localBad.length === 0;
    return complete && ours.localcnt === theirs.remotecnt && ours.remotecnt === theirs.localcnt;
  }
}

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1000);
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  const story = new Failbacks(seed);
  const violations = story.run();
  if (violations.length === 0) continue;
  failures++;
  console.log(`seed ${String(seed)}`);
  for (const violation of violations.slice(0, 3)) console.log(`  ${violation}`);
  if (count > 1) continue;
  for (const line of story.script) console.log(`    ${line}`);
  for (const node of [story.pair.a, story.pair.b]) {
    console.log(`  ${node.name}: ${node.hooks.join(', ')}`);
    for (const { level, text } of node.lines) console.log(`    ${level} ${text}`);
  }
}
console.log(`${String(count)} stories, ${String(failures)} failed`);
process.exitCode = failures === 0 ? 0 : 1;
