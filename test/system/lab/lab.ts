/**
 * A laboratory: two hosts, alpha and beta, with one hast.conf; a network that can be cut; and a place outside, where
 * clients are. Everything is real but the machines' walls.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host, PROGRAMS } from './host.js';
import { Machine } from './machine.js';
import type { Surroundings } from './machine.js';
import { ADDRESS, Network } from './network.js';

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const LOG_LINES_SHOWN = 60;

export interface LabOptions {
  /** Default: `data`. */
  readonly resources?: readonly string[];
  /** Bytes of each component. */
  readonly componentBytes?: number;
  /** Statements at the beginning of hast.conf: `timeout 5`, `replication memsync`, ... */
  readonly settings?: string;
  /** Statements inside the block of a resource; default none. */
  readonly resourceSettings?: (resource: string) => string;
  /** Options of every hastd: `-d`. */
  readonly hastd?: readonly string[];
  /** Where the component of a host is, when it is not a file of its own. */
  readonly local?: (host: Host, resource: string) => string;
}

export class Lab {
  readonly folder: string;
  readonly configPath: string;
  readonly network: Network;
  readonly alpha: Host;
  readonly beta: Host;
  readonly outside: Machine;
  readonly resources: readonly string[];
  readonly componentBytes: number;
  readonly #resourceSettings: (resource: string) => string;
  readonly #local: (host: Host, resource: string) => string;
  readonly #hastd: readonly string[];
  readonly #print: (line: string) => void;
  readonly #cleaner: ChildProcess;
  readonly #startedMs = performance.now();

  /** Nothing runs yet. The story goes to `print`, line by line. */
  constructor(options: LabOptions, print: (line: string) => void) {
    this.#print = print;
    this.folder = mkdtempSync(join(tmpdir(), 'hast-lab-'));
    this.#cleaner = startCleaner(this.folder);
    this.configPath = join(this.folder, 'hast.conf');
    this.resources = options.resources ?? ['data'];
    this.componentBytes = options.componentBytes ?? 64 << 20;
    this.#resourceSettings = options.resourceSettings ?? (() => '');
    this.#local = options.local ?? ((host, resource) => host.component(resource));
    this.#hastd = options.hastd ?? [];
    const surroundings: Surroundings = {
      folder: this.folder,
      path: SYSTEM_PATH,
      now: () => this.now(),
    };
    this.outside = new Machine('outside', surroundings);
    this.network = new Network(this.outside);
    this.alpha = new Host('alpha', surroundings, this.network, this.configPath);
    this.beta = new Host('beta', surroundings, this.network, this.configPath);
    for (const host of this.hosts) host.install(PROGRAMS);
    this.configure(options.settings ?? '');
  }

  get hosts(): readonly Host[] {
    return [this.alpha, this.beta];
  }

  other(host: Host): Host {
    return host === this.alpha ? this.beta : this.alpha;
  }

  /** Seconds since the beginning. */
  now(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /** The next sentence of the story. */
  say(sentence: string): void {
    this.#print(`${this.now().toFixed(1).padStart(8)} s  ${sentence}`);
  }

  /** Writes hast.conf, the same file on both hosts. */
  configure(settings: string): void {
    const resources = this.resources.map((resource) => {
      const ends = this.hosts.map((host) => {
        const local = this.#local(host, resource);
        const remote = `tcp4://${ADDRESS[this.other(host).hostName]}`;
        return `    on ${host.name} {\n        local ${local}\n        remote ${remote}\n    }\n`;
      });
      return `resource ${resource} {\n    ${this.#resourceSettings(resource)}\n${ends.join('')}}\n`;
    });
    // At once: hastd may be reading it.
    writeFileSync(`${this.configPath}.new`, `${settings}\n\n${resources.join('\n')}`);
    renameSync(`${this.configPath}.new`, this.configPath);
  }

  /** Powers everything on and creates the components; no daemon runs yet. */
  async boot(): Promise<void> {
    await this.outside.boot();
    await this.network.open();
    await Promise.all(this.hosts.map((host) => host.boot()));
    for (const host of this.hosts) {
      for (const resource of this.resources) host.makeComponent(resource, this.componentBytes);
    }
  }

  /** From nothing to a pair in sync: alpha primary, beta secondary, of every resource. */
  async startPair(): Promise<void> {
    await this.boot();
    await this.formPair();
  }

  /** From hosts that have just been booted to a pair in sync. */
  async formPair(createOptions = ''): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        await host.hastctl(`create ${createOptions} ${this.resources.join(' ')}`);
        await host.startHastd(...this.#hastd);
      }),
    );
    await this.beta.hastctl('role secondary all');
    await this.alpha.hastctl('role primary all');
    for (const resource of this.resources) await this.inSync(this.alpha, resource);
    this.say('alpha is primary, beta secondary, both in sync');
  }

  /** Waits until `primary` is connected, nothing is left to copy, and the other host knows that. */
  async inSync(primary: Host, resource = 'data', limitMs = 60_000): Promise<void> {
    const options = { resource, limitMs };
    await primary.until(
      `${resource} in sync`,
      ({ status, counters }) => status === 'complete' && counters.dirty === 0,
      options,
    );
    const secondary = this.other(primary);
    await secondary.until(`${resource} complete`, ({ localCopy }) => localCopy === 'complete', options);
  }

  /** Ends everything. After a failure the logs are shown and kept. */
  async close(failed: boolean): Promise<void> {
    await Promise.all([...this.hosts, this.outside].map((machine) => machine.kill()));
    if (failed) {
      this.#showLogs();
      writeFileSync(join(this.folder, 'keep'), '');
    }
    this.#cleaner.stdin?.end();
    await new Promise((resolve) => this.#cleaner.once('close', resolve));
  }

  #showLogs(): void {
    for (const { name, folder } of [...this.hosts, this.outside]) {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (!entry.name.endsWith('.log')) {
          rmSync(join(folder, entry.name), { recursive: true, force: true });
          continue;
        }
        const lines = readFileSync(join(folder, entry.name), 'utf8').trimEnd().split('\n');
        this.#print(`--- ${name}: ${entry.name}, ${lines.length} lines`);
        for (const line of lines.slice(-LOG_LINES_SHOWN)) this.#print(`    ${line}`);
      }
    }
    this.#print(`--- all logs are kept in ${this.folder}`);
  }
}

/** Loop devices on a FUSE file of nbdfuse that is mounted nowhere any more: their host lost its power. */
const DETACH_ORPHANS = `losetup --list --noheadings --output NAME,BACK-FILE |
  while read -r device file; do [ "$file" = /nbd ] && losetup --detach "$device"; done`;

/** Tidies up as soon as the other end of its input is closed, in whatever way this process ends. */
function startCleaner(folder: string): ChildProcess {
  const remove = 'until rm -rf "$1"; do sleep 0.1; done';
  const script = `trap "" INT TERM HUP; cat >/dev/null; [ ! -e "$1/keep" ] && { ${remove}; }; ${DETACH_ORPHANS}`;
  return spawn('sh', ['-c', script, 'cleaner', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}
