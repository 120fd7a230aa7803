/**
 * A disk that fails on command: a file behind nbdkit's pause, error, delay, rate and protect filters, which nbdfuse makes a file
 * for hastd. Faults begin and end at run time, by the filters' own triggers.
 */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../e2e/cluster.js';
import type { Host } from '../lab/host.js';
import { insert, insertedPath } from './inserted-disk.js';

export const BAD_DISK_PROGRAMS = ['nbdkit', 'nbdfuse'];

export interface BadDiskOptions {
  readonly mediaSize: number;
  /** What failing writes fail with; default EIO. */
  readonly writeError?: 'EIO' | 'ENOSPC';
  /** How long every write takes; default 0. */
  readonly writeDelayMs?: number;
  /** A region, in bytes, that has always refused to be written; default none. */
  readonly unwritable?: { readonly from: number; readonly to: number };
}

export class BadDisk {
  readonly #host: Host;
  readonly #name: string;
  readonly #options: BadDiskOptions;

  /** Zeros; `insert` it when the host is on. */
  constructor(host: Host, name: string, options: BadDiskOptions) {
    this.#host = host;
    this.#name = name;
    this.#options = options;
    writeFileSync(this.#file('img'), '');
    truncateSync(this.#file('img'), options.mediaSize);
  }

  /** Makes it the file `insertedPath(name)` on its host, until that is powered off. */
  async insert(): Promise<void> {
    const { writeError = 'EIO', writeDelayMs = 0, unwritable } = this.#options;
    rmSync(this.#file('sock'), { force: true });
    const parameters = [
      `pause-control=${this.#file('pause')}`,
      `rate-file=${this.#file('rate')}`,
      `delay-write=${writeDelayMs}ms`,
      ...failing(['pread'], 'EIO', this.#file('bad-reads')),
      ...failing(['pwrite', 'trim', 'zero'], writeError, this.#file('bad-writes')),
      ...(unwritable === undefined ? [] : [`protect=${unwritable.from}-${unwritable.to - 1}`]),
    ];
    const filters = '--filter=pause --filter=error --filter=delay --filter=rate --filter=protect';
    const server = `nbdkit --foreground --unix ${this.#file('sock')} ${filters} file ${this.#file('img')}`;
    const nbdkit = this.#host.start(`nbdkit-${this.#name}`, `${server} ${parameters.join(' ')}`);
    await eventually(`nbdkit of ${this.#host.name}`, () => {
      if (!nbdkit.isRunning) throw new Error(nbdkit.log);
      return existsSync(this.#file('sock'));
    });
    await insert(this.#host, this.#name, this.#file('sock'));
  }

  /** What is on the medium, faults or not. */
  get content(): Buffer {
    return readFileSync(this.#file('img'));
  }

  /** What the system remembers of the disk is forgotten, too. */
  async failReads(areFailing: boolean): Promise<void> {
    setTrigger(this.#file('bad-reads'), areFailing);
    await this.#host.run(`dd if=${insertedPath(this.#name)} iflag=nocache count=0 status=none`);
  }

  failWrites(areFailing: boolean): void {
    setTrigger(this.#file('bad-writes'), areFailing);
  }

  /** Null: as fast as it can. */
  limitRate(bytesPerSecond: number | null): void {
    if (bytesPerSecond === null) rmSync(this.#file('rate'), { force: true });
    else writeFileSync(this.#file('rate'), `${bytesPerSecond * 8}\n`);
  }

  /** Nothing is answered from now on. Resolves when that is so: what was under way has been answered then. */
  async stick(): Promise<void> {
    await this.#control('p', 'P');
  }

  /** What waited is executed and answered. */
  async loosen(): Promise<void> {
    await this.#control('r', 'R');
  }

  #control(command: string, answer: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#file('pause'));
      socket.once('error', reject);
      socket.once('data', (bytes) => {
        socket.destroy();
        const said = bytes.toString('latin1');
        if (said === answer) resolve();
        else reject(new Error(`nbdkit's pause filter answered ${said} to ${command}`));
      });
      socket.write(command);
    });
  }

  #file(what: string): string {
    return join(this.#host.folder, `${this.#name}.${what}`);
  }
}

/** Parameters of the error filter: these operations fail as long as the file `trigger` exists. */
function failing(operations: readonly string[], error: string, trigger: string): string[] {
  return operations.flatMap((operation) => [
    `error-${operation}=${error}`,
    `error-${operation}-rate=100%`,
    `error-${operation}-file=${trigger}`,
  ]);
}

function setTrigger(path: string, isThere: boolean): void {
  if (isThere) writeFileSync(path, '');
  else rmSync(path, { force: true });
}
