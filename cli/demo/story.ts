/**
 * The demonstration: two nodes on this machine replicate a device, lose the secondary, then the primary, and nothing of
 * what was stored. Everything that is claimed here is checked; a wrong byte makes the story end badly.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { formatBytes } from '../../core/base/human.js';
import { mixedCargo, scatteredCargo, sizeOf, store, verify } from './cargo.js';
import type { Item } from './cargo.js';
import { RESOURCE } from './site.js';
import type { NodeName, Site } from './site.js';
import type { Stage } from './stage.js';

const MEGABYTE = 1 << 20;
const DISK_BYTES = 256 * MEGABYTE;
const CARGO_BYTES = 80 * MEGABYTE;
/** What is written while node b is down: small pieces far apart, so that they touch few extents of 2 MiB. */
const LATER = { offset: 96 * MEGABYTE, count: 24, bytes: MEGABYTE, strideBytes: 5 * MEGABYTE };
/** What is written on node b while node a is down. */
const LAST = { offset: 220 * MEGABYTE, count: 6, bytes: MEGABYTE, strideBytes: 6 * MEGABYTE };
const ITEMS_SHOWN = 3;
/** Both nodes are one machine, and it has one /dev/hast. */
const NBD = process.platform === 'freebsd' ? ' --device nbd' : '';

export class Story {
  readonly #stage: Stage;
  readonly #site: Site;

  constructor(stage: Stage, site: Site) {
    this.#stage = stage;
    this.#site = site;
  }

  /** Tells it all; rejects at the first thing that is not as it should be. */
  async tell(): Promise<void> {
    this.#introduce();
    await this.#prepare();
    const cargo = mixedCargo(CARGO_BYTES);
    await this.#storeFirst(cargo);
    const later = await this.#loseSecondary();
    await this.#secondaryReturns(later);
    await this.#losePrimary();
    await this.#promote([...cargo, ...later]);
    await this.#oldPrimaryReturns();
  }

  #introduce(): void {
    this.#stage.title('HAST: one disk on two nodes');
    this.#stage.text(
      '',
      'Two daemons on this machine play two machines, a and b. Applications use the device of the',
      'node that is primary; every write reaches the disk of the other one, the secondary, too.',
      'We take away first one node, then the other, and see that nothing is lost.',
    );
  }

  async #prepare(): Promise<void> {
    const { options } = this.#for('a', 'b');
    this.#stage.step(
      "One configuration file describes both nodes; a machine's own name tells which one it is.",
    );
    await this.#shell('cat hast.conf');
    this.#stage.step(
      'Each node gets a disk, here a file, and the metadata that makes it a part of the resource.',
    );
    await this.#shell(`truncate -s ${DISK_BYTES / MEGABYTE}M a/disk b/disk`);
    for (const each of options) await this.#shell(`hastctl create ${each} ${RESOURCE}`);
    this.#stage.step('A daemon is started on each node. (Here --node and --run-dir keep the two apart.)');
    for (const each of options) await this.#shell(`hastd ${each}${NBD}`);
    this.#stage.step(
      'Nobody is primary by itself: that is for an administrator, or a cluster manager, to say.',
    );
    const [a, b] = options;
    await this.#shell(`hastctl role ${b} secondary ${RESOURCE}`);
    await this.#shell(`hastctl role ${a} primary ${RESOURCE}`);
    await this.#connected('a', 'the nodes find each other');
    await this.#status('a');
  }

  async #storeFirst(cargo: readonly Item[]): Promise<void> {
    const size = formatBytes(sizeOf(cargo));
    const kinds = `${cargo.length} real files and random blobs`;
    this.#stage.step(
      `${kinds}, ${size} in all, are written to the device of node a (an NBD export), then flushed.`,
    );
    this.#stage.command(`# device of a: ${this.#site.socket('a')}`);
    await store(this.#site.socket('a'), cargo, this.#stage.progress('stored on both nodes', sizeOf(cargo)));
  }

  /** What was written after node b had died. */
  async #loseSecondary(): Promise<readonly Item[]> {
    this.#stage.step('Node b loses power: its daemon and its worker are killed without a warning.');
    await this.#powerOff('b');
    await this.#waitFor('node a notices', 'a', (list) => list.get('status') === 'degraded');
    await this.#status('a');
    const later = scatteredCargo(LATER.offset, LATER.count, LATER.bytes, LATER.strideBytes);
    this.#stage.step('Applications on node a do not notice. They write on, here and there.');
    await store(this.#site.socket('a'), later, this.#stage.progress('stored on node a alone', sizeOf(later)));
    this.#stage.step('Node a remembers which extents (2 MiB each) node b has missed: they are dirty.');
    await this.#listed('a', 'dirty');
    return later;
  }

  async #secondaryReturns(later: readonly Item[]): Promise<void> {
    this.#stage.step('Node b is back. Only the dirty extents are copied to it, not the whole disk.');
    const { options } = this.#for('b');
    await this.#shell(`hastd ${options.join()}${NBD}`);
    await this.#shell(`hastctl role ${options.join()} secondary ${RESOURCE}`);
    const dirtyBytes = bytesIn((await this.#site.list('a')).get('dirty'));
    await this.#synchronized('a', dirtyBytes);
    await this.#status('a');
    const writes = Number((await this.#site.list('b')).get('writes') ?? 0);
    this.#stage.good(
      `node b wrote ${formatBytes(dirtyBytes)} in ${writes} requests for ${formatBytes(sizeOf(later))} of new data, ` +
        `on a disk of ${formatBytes(DISK_BYTES)}`,
    );
  }

  async #losePrimary(): Promise<void> {
    this.#stage.step('Now node a loses power, the one the applications were using.');
    await this.#powerOff('a');
  }

  async #promote(everything: readonly Item[]): Promise<void> {
    this.#stage.step('Node b becomes primary and offers the device instead.');
    const { options } = this.#for('b');
    await this.#shell(`hastctl role ${options.join()} primary ${RESOURCE}`);
    await this.#waitFor('the device appears', 'b', (list) => list.get('status') === 'degraded');
    await this.#status('b');
    this.#stage.step('Everything that was ever stored is read back from node b, and its SHA-256 compared.');
    const bytes = sizeOf(everything);
    const wrong = await verify(this.#site.socket('b'), everything, this.#stage.progress('read back', bytes));
    for (const { name, sha256 } of everything.slice(0, ITEMS_SHOWN)) {
      this.#stage.output(`${sha256.slice(0, 32)}…  ${name}`);
    }
    this.#stage.output(`… and ${everything.length - ITEMS_SHOWN} more`);
    for (const { name } of wrong) this.#stage.bad(`${name} is not what was stored`);
    if (wrong.length > 0) throw new Error(`${wrong.length} of ${everything.length} items are damaged`);
    this.#stage.good(`all ${everything.length} items are exactly what was stored`);
    const last = scatteredCargo(LAST.offset, LAST.count, LAST.bytes, LAST.strideBytes);
    this.#stage.step('Applications go on where they were, on node b.');
    await store(this.#site.socket('b'), last, this.#stage.progress('stored on node b alone', sizeOf(last)));
  }

  async #oldPrimaryReturns(): Promise<void> {
    this.#stage.step('Node a is back, as secondary. It is brought up to date, and the pair is whole again.');
    const { options } = this.#for('a');
    await this.#shell(`hastd ${options.join()}${NBD}`);
    await this.#shell(`hastctl role ${options.join()} secondary ${RESOURCE}`);
    await this.#synchronized('b', bytesIn((await this.#site.list('b')).get('dirty')));
    await this.#status('b');
    this.#stage.step('The disks themselves are compared, byte by byte behind the metadata.');
    const offset = await this.#dataOffset();
    const line = `tail -c +${offset + 1} a/disk | sha256sum; tail -c +${offset + 1} b/disk | sha256sum`;
    this.#stage.command(line);
    const sums = await Promise.all(['a', 'b'].map((node) => sha256Of(this.#site.path(node, 'disk'), offset)));
    this.#stage.output(sums.map((sum) => `${sum}  -`).join('\n'));
    if (sums[0] !== sums[1]) throw new Error('the disks of a and b differ');
    this.#stage.good('both disks are the same');
  }

  /** KILL to the daemon and its worker, as a power failure would. */
  async #powerOff(node: NodeName): Promise<void> {
    const pids = await this.#site.processes(node);
    await this.#shell(`kill -9 ${pids.join(' ')}`);
  }

  async #connected(primary: NodeName, what: string): Promise<void> {
    await this.#waitFor(what, primary, (list) => list.get('status') === 'complete');
  }

  /** Follows `dirty` of the primary down to 0, as anybody can with `hastctl list`. */
  async #synchronized(primary: NodeName, dirtyBytes: number): Promise<void> {
    await this.#connected(primary, `node ${primary} finds the other one again (it tries every 10 s)`);
    const progress = this.#stage.progress('synchronized', dirtyBytes);
    await this.#site.until(primary, (list) => {
      const leftBytes = bytesIn(list.get('dirty'));
      progress.at(Math.max(0, dirtyBytes - leftBytes));
      return leftBytes === 0;
    });
    progress.done();
  }

  async #waitFor(
    what: string,
    node: NodeName,
    isIt: (list: ReadonlyMap<string, string>) => boolean,
  ): Promise<void> {
    await this.#stage.waiting(what, () => this.#site.until(node, isIt));
  }

  async #status(node: NodeName): Promise<void> {
    await this.#shell(`hastctl status ${this.#site.options(node)}`);
  }

  /** One line of `hastctl list`. */
  async #listed(node: NodeName, label: string): Promise<void> {
    await this.#shell(`hastctl list ${this.#site.options(node)} | grep ' ${label}'`);
  }

  /** Shows and runs a command that has to succeed. */
  async #shell(command: string): Promise<void> {
    this.#stage.command(command);
    const { status, output } = await this.#site.run(command);
    this.#stage.output(output);
    if (status !== 0) throw new Error(`the command ended with status ${status}`);
  }

  /** Where the data begins on the disks, as the metadata says. */
  async #dataOffset(): Promise<number> {
    const { output } = await this.#site.run(`hastctl dump ${this.#site.options('a')} ${RESOURCE}`);
    return Number(/^ +localoff: (\d+)$/m.exec(output)?.[1]);
  }

  #for(...nodes: readonly NodeName[]): { readonly options: readonly string[] } {
    return { options: nodes.map((node) => this.#site.options(node)) };
  }
}

/** `41943040 (40MB)` */
function bytesIn(value: string | undefined): number {
  return Number.parseInt(value ?? '0', 10);
}

async function sha256Of(path: string, offset: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { start: offset, highWaterMark: MEGABYTE })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
