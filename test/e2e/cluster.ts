/**
 * Real daemons for end-to-end tests: nodes `a` and `b` of one hast.conf on loopback, each with its own run directory
 * and file components, driven with the commands that people type.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNbd } from '../../native/nbd/client.js';
import type { NbdClient } from '../../native/nbd/client.js';

const PROGRAMS = fileURLToPath(new URL('../../cli/', import.meta.url));
const HASTCTL = join(PROGRAMS, 'hastctl.js');

export type NodeName = 'a' | 'b';

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ClusterOptions {
  /** The folder that everything is made in; the system's for temporary files when not given. */
  readonly under?: string;
  /** Bytes of each component file. */
  readonly mediaSize?: number;
  readonly resources?: readonly string[];
  /** Statements inside every `resource` block. */
  readonly settings?: string;
  /** Statements before everything. */
  readonly globals?: string;
  /** What a node dials to reach the other one, by the port that one listens on. */
  readonly remotePort?: (port: number) => number;
  /** `hastctl create` options. */
  readonly create?: readonly string[];
  /** More options for hastd. */
  readonly hastd?: readonly string[];
  /** Node's own options for the daemons, and so for their workers. */
  readonly node?: readonly string[];
  /** The folder of another build's programs. */
  readonly programs?: string;
  /** More environment for the daemon of a node. */
  readonly environment?: (node: NodeName) => Readonly<Record<string, string>>;
}

/** The first answer of `probe` that is neither empty nor false; it may throw meanwhile. */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  limitMs = 45_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs;
  let last: unknown = 'nothing';
  while (performance.now() < deadline) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`still waiting for ${what}: ${String(last)}`);
}

export function run(program: string, args: readonly string[], cwd?: string): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd, encoding: 'latin1' }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ status, stdout, stderr });
    });
  });
}

export function runHastd(...args: readonly string[]): Promise<Finished> {
  return run(join(PROGRAMS, 'hastd.js'), args);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** One node: its directory, and its daemon in the foreground when started. */
export class ClusterNode {
  readonly name: NodeName;
  readonly folder: string;
  readonly port: number;
  readonly #config: string;
  readonly #options: ClusterOptions;
  #daemon: ChildProcess | null = null;
  #log = '';

  constructor(name: NodeName, folder: string, config: string, port: number, options: ClusterOptions) {
    this.name = name;
    this.folder = folder;
    this.port = port;
    this.#config = config;
    this.#options = options;
    mkdirSync(folder, { recursive: true });
  }

  /** Everything the daemon and its workers have logged. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  component(resource: string): string {
    return join(this.folder, `${resource}.img`);
  }

  /** The component's bytes behind the metadata, as they are on disk. */
  data(resource: string, offset: number): Buffer {
    return readFileSync(this.component(resource)).subarray(offset);
  }

  /** What the device holds, as it is on disk. */
  async deviceBytes(resource = 'r0'): Promise<Buffer> {
    const { localoff } = await this.dump(resource);
    return this.data(resource, Number(localoff));
  }

  /** The fields of `hastctl dump`. */
  async dump(resource = 'r0'): Promise<Readonly<Record<string, string>>> {
    const text = await this.ok('dump', resource);
    return Object.fromEntries([...text.matchAll(/^ +(\w+): (.*)$/gm)].map(([, key, value]) => [key, value]));
  }

  get #common(): string[] {
    return ['-c', this.#config, '--node', this.name, '--run-dir', this.folder];
  }

  async start(...more: readonly string[]): Promise<void> {
    const args = [
      '-F',
      '-P',
      join(this.folder, 'hastd.pid'),
      ...this.#common,
      '--device',
      'nbd',
      ...(this.#options.hastd ?? []),
      ...more,
    ];
    const { programs = PROGRAMS, environment, node = [] } = this.#options;
    const daemon = spawn(process.execPath, [...node, join(programs, 'hastd.js'), ...args], {
      env: { ...process.env, ...environment?.(this.name) },
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#daemon = daemon;
    const from = this.#log.length;
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream.setEncoding('latin1').on('data', (text: string) => {
        this.#log += text;
      });
    }
    daemon.once('exit', () => {
      if (this.#daemon === daemon) this.#daemon = null;
    });
    await eventually(`hastd of ${this.name} to start`, () => {
      if (this.#daemon === null) throw new Error(this.#log);
      return this.#log.includes('Started successfully', from);
    });
  }

  /** TERM, and the exit status. */
  stop(): Promise<number | null> {
    return this.signal('SIGTERM');
  }

  async signal(signal: NodeJS.Signals): Promise<number | null> {
    const daemon = this.#daemon;
    if (daemon === null) return null;
    const exit = new Promise<number | null>((resolve) => daemon.once('exit', resolve));
    daemon.kill(signal);
    return exit;
  }

  /** Power loss: KILL to the daemon and every worker of it. */
  async kill(): Promise<void> {
    const workers = this.workers();
    const dead = this.signal('SIGKILL');
    for (const pid of workers) killIfThere(pid);
    await dead;
    await eventually('workers to be gone', () => workers.every((pid) => !existsSync(`/proc/${pid}`)));
  }

  /** Process ids of the daemon's workers. */
  workers(): number[] {
    if (this.pid === 0) return [];
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'latin1');
    return children
      .split(' ')
      .filter((pid) => pid !== '')
      .map(Number);
  }

  hastctl(subcommand: string, ...args: readonly string[]): Promise<Finished> {
    return run(HASTCTL, [subcommand, ...this.#common, ...args]);
  }

  /** hastctl that has to succeed; its output. */
  async ok(subcommand: string, ...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.hastctl(subcommand, ...args);
    if (status !== 0 || stderr !== '') {
      throw new Error(`hastctl ${subcommand} ${args.join(' ')}: ${String(status)} ${stderr}\n${this.#log}`);
    }
    return stdout;
  }

  async role(role: 'init' | 'primary' | 'secondary', resource = 'r0'): Promise<void> {
    await this.ok('role', role, resource);
  }

  /** A line of `hastctl list`; empty when there is none. */
  async listed(label: string, resource = 'r0'): Promise<string> {
    const listing = await this.ok('list', resource);
    return new RegExp(`^ +${label}: (.*)$`, 'm').exec(listing)?.[1] ?? '';
  }

  /** Waits until this primary is connected and nothing is left to copy. */
  async inSync(resource = 'r0'): Promise<void> {
    await eventually(`${resource} of ${this.name} to be in sync\n${this.#log}`, async () => {
      const listing = await this.ok('list', resource);
      return listing.includes('status: complete') && listing.includes('  dirty: 0 ');
    });
  }

  /** Connects to the device of a primary, once it is there. */
  device(resource = 'r0'): Promise<NbdClient> {
    const path = join(this.folder, 'hast', resource);
    return eventually(`device ${resource} on ${this.name}`, () => connectNbd({ path }));
  }

  async logged(pattern: RegExp | string, from = 0): Promise<string> {
    return eventually(`${this.name} to log ${String(pattern)}\n${this.#log}`, () => {
      const line = this.#log
        .slice(from)
        .split('\n')
        .find((candidate) =>
          typeof pattern === 'string' ? candidate.includes(pattern) : pattern.test(candidate),
        );
      return line;
    });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went with its parent.
  }
}

export class Cluster {
  readonly folder: string;
  readonly configPath: string;
  readonly a: ClusterNode;
  readonly b: ClusterNode;
  readonly #options: ClusterOptions;

  private constructor(
    folder: string,
    ports: { readonly a: number; readonly b: number },
    options: ClusterOptions,
  ) {
    this.folder = folder;
    this.configPath = join(folder, 'hast.conf');
    this.#options = options;
    this.a = new ClusterNode('a', join(folder, 'a'), this.configPath, ports.a, options);
    this.b = new ClusterNode('b', join(folder, 'b'), this.configPath, ports.b, options);
    this.configure(options.settings ?? '');
  }

  static async prepare(options: ClusterOptions = {}): Promise<Cluster> {
    const folder = mkdtempSync(join(options.under ?? tmpdir(), 'hast-e2e-'));
    const cluster = new Cluster(folder, { a: await freePort(), b: await freePort() }, options);
    for (const node of [cluster.a, cluster.b]) {
      for (const resource of cluster.resources) cluster.makeComponent(node, resource);
      if (cluster.resources.length > 0) {
        await node.ok('create', ...(options.create ?? []), ...cluster.resources);
      }
    }
    return cluster;
  }

  /** Prepared, and both daemons run. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.prepare(options);
    try {
      await Promise.all([cluster.a.start(), cluster.b.start()]);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  get resources(): readonly string[] {
    return this.#options.resources ?? ['r0'];
  }

  other(node: ClusterNode): ClusterNode {
    return node === this.a ? this.b : this.a;
  }

  /** A new, empty component file. */
  makeComponent(node: ClusterNode, resource: string): void {
    writeFileSync(node.component(resource), '');
    truncateSync(node.component(resource), this.#options.mediaSize ?? 8 << 20);
  }

  /** Writes hast.conf anew; `settings` go into every resource. */
  configure(settings: string, globals = this.#options.globals ?? ''): void {
    const { remotePort = (port: number) => port } = this.#options;
    const blocks = this.resources.map((resource) => {
      const ends = [this.a, this.b].map((node) => {
        const remote = `tcp4://127.0.0.1:${remotePort(this.other(node).port)}`;
        return `  on ${node.name} {\n    local ${node.component(resource)}\n    remote ${remote}\n  }\n`;
      });
      return `resource ${resource} {\n  ${settings}\n${ends.join('')}}\n`;
    });
    const nodes = [this.a, this.b].map(
      (node) => `on ${node.name} {\n  listen tcp4://127.0.0.1:${node.port}\n}\n`,
    );
    writeFileSync(this.configPath, [globals, '\n', ...nodes, ...blocks].join(''));
  }

  /** Ends everything and removes every trace. */
  async close(): Promise<void> {
    await Promise.all([this.a.kill(), this.b.kill()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
