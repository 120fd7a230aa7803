/** Programs of other people that the tests of the NBD server run, and the server they run against. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { assert } from '../../core/base/assert.js';

const run = promisify(execFile);

/** Debian's package of each program. */
const PACKAGES: Readonly<Record<string, string>> = {
  nbdinfo: 'libnbd-bin',
  nbdcopy: 'libnbd-bin',
  nbdfuse: 'libnbd-bin',
  'qemu-img': 'qemu-utils',
  'qemu-io': 'qemu-utils',
  fio: 'fio',
  nbdkit: 'nbdkit',
  fusermount3: 'fuse3',
  losetup: 'mount',
  'mkfs.ext4': 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  'fsck.ext4': 'e2fsprogs',
  fuser: 'psmisc',
  ip: 'iproute2',
  nft: 'nftables',
  flock: 'util-linux',
  findmnt: 'util-linux',
  setpriv: 'util-linux',
  shellcheck: 'shellcheck',
  'systemd-analyze': 'systemd',
  'systemd-sysusers': 'systemd',
  'ocf-tester': 'resource-agents',
  xmllint: 'libxml2-utils',
};

/** PATH of an ordinary user often lacks the directories of mkfs and losetup. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { env: ENVIRONMENT }).status === 0;
}

/**
 * False when something is missing that the tests called `what` need, after saying what. On CI that is an error:
 * there nothing may be skipped.
 */
export function canRun(what: string, programs: readonly string[], devices: readonly string[] = []): boolean {
  const missing = programs
    .filter((program) => !isInstalled(program))
    .map((program) => `${program} (apt-get install ${PACKAGES[program] ?? program})`);
  missing.push(...devices.filter((device) => !existsSync(device)));
  if (devices.length > 0 && process.getuid?.() !== 0) missing.push('root');
  if (missing.length === 0) return true;
  const message = `${what}: missing ${missing.join(', ')}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`SKIPPED ${message}`);
  return false;
}

/** Runs a program to its end; its standard output. An error shows everything that it printed. */
export async function output(program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(program, args, {
      env: ENVIRONMENT,
      timeout: 120_000,
      maxBuffer: 16 << 20,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Starts a program that goes on until it is stopped. */
export function start(program: string, ...args: readonly string[]): ChildProcess {
  return spawn(program, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Resolves when the process is gone: its exit code, null for a signal. */
export async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.once('exit', resolve));
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

/** A server of `bytes` of memory at `address`; see test/nbd/serve.ts. */
export class Served {
  readonly #child: ChildProcess;

  constructor(address: string, bytes: number, sectorSize = 512) {
    const program = new URL('../nbd/serve.js', import.meta.url).pathname;
    this.#child = start(process.execPath, program, address, bytes.toString(), sectorSize.toString());
  }

  async ready(): Promise<void> {
    const { stdout } = this.#child;
    assert(stdout !== null, 'the output of the server is read');
    for await (const chunk of stdout) if (String(chunk).includes('ready')) return;
    throw new Error('the server ended before it was ready');
  }

  /** Its exit code: 0 when nothing was wrong. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return ended(this.#child);
  }
}
