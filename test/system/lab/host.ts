/** A host of a lab: what boots with it, its hastd, and what people do there with hastctl and with the device. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { ask } from '../../../cli/hastctl/control-client.js';
import { decodeStatusReply } from '../../../core/control/replies.js';
import type { StatusEntry } from '../../../core/control/replies.js';
import { connectNbd } from '../../../native/nbd/client.js';
import type { NbdClient } from '../../../native/nbd/client.js';
import { eventually } from '../../e2e/cluster.js';
import type { Finished } from '../../e2e/cluster.js';
import { Machine } from './machine.js';
import type { Program, Surroundings } from './machine.js';
import { ADDRESS } from './network.js';
import type { HostName, Network } from './network.js';

/** Today's, for `Host.install`. */
export const PROGRAMS = fileURLToPath(new URL('../../../cli/', import.meta.url));

/** A block device of the kernel on a HAST device. */
export interface BlockDevice {
  /** `/dev/loopN`; gone when the host is, or after `detach`. */
  readonly path: string;
  /** What is behind it: a file in a FUSE file system. */
  readonly file: string;
  /** Not while it is mounted. */
  detach(): Promise<void>;
}

export class Host extends Machine {
  readonly hostName: HostName;
  readonly address: string;
  readonly #configPath: string;
  readonly #network: Network;
  #hastd: Program | null = null;

  constructor(name: HostName, surroundings: Surroundings, network: Network, configPath: string) {
    super(name, surroundings);
    this.hostName = name;
    this.address = ADDRESS[name];
    this.#network = network;
    this.#configPath = configPath;
  }

  /** Makes hastd and hastctl those in `folder`, as after an installation. */
  install(folder: string): void {
    const bin = join(this.folder, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const program of ['hastd', 'hastctl']) {
      const path = join(bin, program);
      writeFileSync(path, `#!/bin/sh\nexec '${execPath}' '${join(folder, `${program}.js`)}' "$@"\n`);
      chmodSync(path, 0o755);
    }
  }

  /** Power on: its own /run and /etc, with hast.conf and the user `hast`; a cable; no daemon yet. */
  override async boot(): Promise<void> {
    await super.boot();
    await this.run(
      [
        'mount -t tmpfs -o mode=755 tmpfs /run',
        'cp -a /etc /run/etc && mount --bind /run/etc /etc',
        `ln -sf ${this.#configPath} /etc/hast.conf`,
        'echo "hast:x:845:845::/nonexistent:/usr/sbin/nologin" >>/etc/passwd',
        'echo "hast:x:845:" >>/etc/group',
      ].join(' && '),
    );
    await this.#network.plugIn(this.hostName, this);
  }

  /** Nobody hears from it again, not even that its connections end; then KILL to everything. */
  async loseMains(): Promise<void> {
    await this.#network.disconnect(this.hostName);
    await this.kill();
  }

  /** The file component of a resource. */
  component(resource: string): string {
    return join(this.folder, `${resource}.img`);
  }

  /** A new, empty component. */
  makeComponent(resource: string, bytes: number): void {
    writeFileSync(this.component(resource), '');
    truncateSync(this.component(resource), bytes);
  }

  async startHastd(...options: readonly string[]): Promise<Program> {
    const hastd = this.start('hastd', ['hastd', '-F', '-P', '/run/hastd.pid', ...options].join(' '));
    this.#hastd = hastd;
    await eventually(`hastd of ${this.name} to start`, () => {
      if (!hastd.isRunning) throw new Error(hastd.log);
      return hastd.log.includes('Started successfully');
    });
    return hastd;
  }

  /** The hastd that was started last. */
  get hastd(): Program {
    if (this.#hastd === null) throw new Error(`${this.name} has no hastd`);
    return this.#hastd;
  }

  /** `hastctl('role primary data')`; has to succeed. */
  hastctl(command: string): Promise<string> {
    return this.run(`hastctl ${command}`);
  }

  tryHastctl(command: string): Promise<Finished> {
    return this.try(`hastctl ${command}`);
  }

  /** What `hastctl list` would say, without starting a program; rejects when hastd does not answer. */
  async status(resource = 'data'): Promise<StatusEntry> {
    const reply = await ask(this.inside('/run/hastctl'), { kind: 'status', names: [resource] });
    const [entry] = decodeStatusReply(reply).entries;
    if (entry?.kind !== 'status') throw new Error(`no status of ${resource}: ${JSON.stringify(entry)}`);
    return entry;
  }

  /** Waits until the status is as `isIt` says. */
  async until(
    what: string,
    isIt: (status: StatusEntry) => boolean,
    { resource = 'data', limitMs = 45_000 } = {},
  ): Promise<StatusEntry> {
    return eventually(
      `${this.name}: ${what}`,
      async () => {
        const status = await this.status(resource);
        if (isIt(status)) return status;
        throw new Error(JSON.stringify(status));
      },
      limitMs,
    );
  }

  /** The fields of `hastctl dump`: what is on the disk. */
  async dump(resource = 'data'): Promise<Readonly<Record<string, string>>> {
    const text = await this.hastctl(`dump ${resource}`);
    return Object.fromEntries([...text.matchAll(/^ +(\w+): (.*)$/gm)].map(([, key, value]) => [key, value]));
  }

  /** Of what the device holds, as it is on the component file: SHA-256. */
  async digest(resource = 'data'): Promise<string> {
    const { localoff } = await this.dump(resource);
    const content = readFileSync(this.component(resource)).subarray(Number(localoff));
    return createHash('sha256').update(content).digest('hex');
  }

  /** The NBD socket of a primary, as a client on this host sees it. */
  socket(resource = 'data'): string {
    return `/run/hast/${resource}`;
  }

  /** A client in this process, once the device is there. */
  device(resource = 'data'): Promise<NbdClient> {
    return eventually(`device ${resource} on ${this.name}`, () =>
      connectNbd({ path: this.inside(this.socket(resource)) }),
    );
  }

  /** The device as a block device of the kernel, by nbdfuse and a loop device. */
  async attach(resource = 'data'): Promise<BlockDevice> {
    const folder = `/run/fuse/${resource}`;
    const file = `${folder}/nbd`;
    await eventually(`device ${resource} on ${this.name}`, () =>
      existsSync(this.inside(this.socket(resource))),
    );
    await this.run(`mkdir -p ${folder}`);
    const uri = `nbd+unix:///?socket=${this.socket(resource)}`;
    const nbdfuse = this.start(`nbdfuse-${resource}`, `nbdfuse ${folder} '${uri}'`);
    await eventually(`nbdfuse on ${this.name}`, () => {
      if (!nbdfuse.isRunning) throw new Error(nbdfuse.log);
      return existsSync(this.inside(file));
    });
    // Detached at once, a loop device lives as long as somebody has it open: this shell, and whoever mounts it.
    const loop = `loop=$(losetup --find --show ${file}) && exec 3<$loop && losetup --detach $loop && echo $loop`;
    const holder = this.start(`loop-${resource}`, `sh -c '${loop} && exec sleep infinity'`);
    const path = (await holder.logged(/^\/dev\/loop/)).trim();
    const detach = async (): Promise<void> => {
      await holder.stop();
      await this.run(`fusermount3 -u -z ${folder}`);
      await nbdfuse.ended();
    };
    return { path, file, detach };
  }
}
