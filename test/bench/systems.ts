/** What is compared: NBD servers without replication, and our pair with default options. Each is one device on a Unix socket. */
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bitmap } from '../../core/activemap/bitmap.js';
import { assert } from '../../core/base/assert.js';
import { DEFAULT_KEEPDIRTY, METADATA_BYTES } from '../../core/metadata/geometry.js';
import { Cluster, eventually } from '../e2e/cluster.js';
import { connectNbd } from '../../native/nbd/client.js';
import { ended, start } from '../system/nbd-clients-tools.js';
import type { Mode } from './jobs.js';

const PROXY = fileURLToPath(new URL('../system/lab/distance-proxy.js', import.meta.url));
const PROXY_PORTS = 1000;

export interface System {
  readonly name: string;
  readonly socket: string;
  /** Every process that takes part, fio excepted. */
  readonly pids: readonly number[];
  /** After a load that has written: throws when anything of it is not where it belongs. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

export type Medium = 'memory' | 'file';

/** nbdkit, one process. */
export class Nbdkit implements System {
  readonly name: string;
  readonly socket: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(name: string, folder: string, child: ChildProcess) {
    this.name = name;
    this.socket = join(folder, 'socket');
    this.#folder = folder;
    this.#child = child;
  }

  /** `under`: the folder that the file, if any, is made in. */
  static async start(medium: Medium, bytes: number, under: string): Promise<Nbdkit> {
    const folder = mkdtempSync(join(under, 'hast-bench-'));
    const options = ['--foreground', '--exit-with-parent', '--unix', join(folder, 'socket')];
    const file = join(folder, 'file');
    if (medium === 'file') {
      writeFileSync(file, '');
      truncateSync(file, bytes);
    }
    const plugin = medium === 'file' ? ['file', file] : ['memory', String(bytes)];
    const nbdkit = new Nbdkit(`nbdkit ${medium}`, folder, start('nbdkit', ...options, ...plugin));
    await eventually('nbdkit to listen', async () => {
      const client = await connectNbd({ path: nbdkit.socket });
      await client.disconnect();
      return true;
    });
    return nbdkit;
  }

  get pids(): readonly number[] {
    return [this.#child.pid ?? 0];
  }

  async verify(): Promise<void> {
    // There is one copy only.
  }

  async close(): Promise<void> {
    this.#child.kill('SIGTERM');
    await ended(this.#child);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface PairOptions {
  readonly bytes: number;
  readonly under: string;
  readonly resources?: readonly string[];
  /** Milliseconds that a round trip between the nodes takes longer than on loopback. */
  readonly rttMs?: number;
  /** The folder in which every process of the pair leaves a CPU profile when it ends. */
  readonly profiles?: string | null;
}

/** Two nodes, a is primary; the way in which writes are acknowledged can be changed. */
export class Pair implements System {
  readonly name = 'hast';
  readonly cluster: Cluster;
  readonly #proxy: ChildProcess | null;

  private constructor(cluster: Cluster, proxy: ChildProcess | null) {
    this.cluster = cluster;
    this.#proxy = proxy;
  }

  static async start({
    bytes,
    under,
    resources = ['r0'],
    rttMs = 0,
    profiles = null,
  }: PairOptions): Promise<Pair> {
    const remotePort = (port: number): number => (rttMs > 0 ? port + PROXY_PORTS : port);
    const settings = 'replication fullsync';
    const node = profiles === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
    const cluster = await Cluster.prepare({ mediaSize: bytes, resources, under, settings, remotePort, node });
    const { a, b } = cluster;
    const proxy = rttMs > 0 ? await startProxy(b.port, rttMs) : null;
    const pair = new Pair(cluster, proxy);
    try {
      await Promise.all([a.start(), b.start()]);
      for (const resource of resources) {
        await b.role('secondary', resource);
        await a.role('primary', resource);
      }
      for (const resource of resources) await a.inSync(resource);
    } catch (error) {
      await pair.close();
      throw error;
    }
    return pair;
  }

  get socket(): string {
    return this.socketOf('r0');
  }

  socketOf(resource: string): string {
    return join(this.cluster.a.folder, 'hast', resource);
  }

  get pids(): readonly number[] {
    const { a, b } = this.cluster;
    return [a.pid, b.pid, ...a.workers(), ...b.workers()];
  }

  async setMode(mode: Mode): Promise<void> {
    const { cluster } = this;
    cluster.configure(`replication ${mode}`);
    for (const node of [cluster.a, cluster.b]) {
      const from = node.log.length;
      process.kill(node.pid, 'SIGHUP');
      await node.logged('Configuration reloaded successfully', from);
    }
    // The secondary may have begun anew.
    await cluster.a.inSync();
  }

  /** Both copies hold the same bytes, and the pair has not been degraded meanwhile. */
  async verify(): Promise<void> {
    const { a, b } = this.cluster;
    const client = await connectNbd({ path: this.socket });
    await client.flush();
    await client.disconnect();
    const listing = await a.ok('list', 'r0');
    if (!listing.includes('status: complete')) throw new Error(`the pair is degraded:\n${listing}\n${a.log}`);
    const { localoff = '0' } = await a.dump();
    await compare(a.component('r0'), b.component('r0'), Number(localoff));
  }

  /** Extents that the primary's disk marks as dirty: now, and once both nodes have flushed what was written last. */
  async bitsLeft(): Promise<string> {
    const { a } = this.cluster;
    const { datasize, extentsize } = await a.dump();
    const extents = Math.ceil(Number.parseInt(datasize ?? '0') / Number.parseInt(extentsize ?? '1'));
    const before = dirtyExtents(a.component('r0'), extents);
    const startedMs = performance.now();
    await eventually('all bits but those of the last extents to be cleared', () => {
      return Promise.resolve(dirtyExtents(a.component('r0'), extents) <= DEFAULT_KEEPDIRTY);
    });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const after = dirtyExtents(a.component('r0'), extents);
    return `${String(before)} of ${String(extents)} extents, ${seconds} s later ${String(after)}`;
  }

  async close(): Promise<void> {
    this.#proxy?.kill();
    // In order: only then do profiles get written.
    await Promise.all([this.cluster.a.stop(), this.cluster.b.stop()]);
    await this.cluster.close();
  }
}

/** Bits that the map on a component has now. */
function dirtyExtents(component: string, extents: number): number {
  const map = Buffer.alloc(Math.ceil(extents / 8));
  const fd = openSync(component, 'r');
  readSync(fd, map, 0, map.length, METADATA_BYTES);
  closeSync(fd);
  return Bitmap.from(map, extents).count;
}

/** What is sent to `port` and back takes so much longer when `PROXY_PORTS` more is dialled. */
async function startProxy(port: number, rttMs: number): Promise<ChildProcess> {
  const proxy = start(process.execPath, PROXY, '127.0.0.1', String(port), String(process.getuid?.() ?? 0));
  assert(proxy.stdout !== null && proxy.stdin !== null, 'the proxy has pipes');
  await once(proxy.stdout, 'data');
  proxy.stdin.write(`${String(rttMs / 2)}\n`);
  return proxy;
}

/** Throws with the first place where two files differ, from an offset on. */
async function compare(first: string, second: string, offset: number): Promise<void> {
  const options = { start: offset, highWaterMark: 1 << 20 };
  const others = createReadStream(second, options)[Symbol.asyncIterator]();
  let at = offset;
  for await (const chunk of createReadStream(first, options)) {
    const other: IteratorResult<unknown> = await others.next();
    const ours = chunk as Buffer;
    if (other.done === true || !ours.equals(other.value as Buffer)) {
      throw new Error(`the copies differ within ${String(ours.length)} bytes at ${String(at)}`);
    }
    at += ours.length;
  }
}
