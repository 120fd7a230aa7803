/**
 * The place of the demonstration: a folder with hast.conf and one subfolder per node, and a shell in it that knows the
 * commands `hastd` and `hastctl`. What is shown as a command is what is run.
 */
import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type NodeName = 'a' | 'b';
export const RESOURCE = 'demo';

const PROGRAMS = fileURLToPath(new URL('..', import.meta.url));
const POLL_MS = 100;

export interface Outcome {
  readonly status: number;
  /** Both streams, in order of arrival. */
  readonly output: string;
}

export class Site {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Site> {
    const site = new Site(mkdtempSync(join(temporaryFolder(), 'hast-')));
    mkdirSync(join(site.folder, 'bin'));
    for (const node of ['a', 'b']) mkdirSync(join(site.folder, node));
    for (const program of ['hastd', 'hastctl']) site.#install(program);
    const [portA, portB] = [await freePort(), await freePort()];
    writeFileSync(site.path('hast.conf'), configuration(site.folder, portA, portB));
    return site;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Where the clients of a node's device connect. */
  socket(node: NodeName): string {
    return this.path(node, 'hast', RESOURCE);
  }

  /** What every command about a node needs. */
  options(node: NodeName): string {
    return `-c hast.conf --node ${node} --run-dir ${node}`;
  }

  /** Runs a command line as a person's shell in the folder would. */
  run(command: string): Promise<Outcome> {
    const env = { ...process.env, PATH: `${this.path('bin')}:${process.env['PATH'] ?? ''}` };
    return new Promise((resolve) => {
      execFile('/bin/sh', ['-c', `${command} 2>&1`], { cwd: this.folder, env }, (error, stdout) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ status, output: stdout });
      });
    });
  }

  /** `hastctl list` of a node as label and value. */
  async list(node: NodeName): Promise<ReadonlyMap<string, string>> {
    const { output } = await this.run(`hastctl list ${this.options(node)} ${RESOURCE}`);
    return new Map(
      [...output.matchAll(/^ +([a-z ]+): (.*)$/gm)].map(([, label = '', value = '']) => [label, value]),
    );
  }

  /** Asks again and again until `isIt` holds; fails after `limitSeconds`. */
  async until(
    node: NodeName,
    isIt: (list: ReadonlyMap<string, string>) => boolean,
    limitSeconds = 40,
  ): Promise<void> {
    const deadline = performance.now() + limitSeconds * 1000;
    while (!isIt(await this.list(node))) {
      if (performance.now() > deadline) {
        const { output } = await this.run(`hastctl list ${this.options(node)}`);
        throw new Error(`node ${node} did not get there within ${limitSeconds} s:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Process ids of a node: its daemon, and the worker if there is one. */
  async processes(node: NodeName): Promise<readonly number[]> {
    const worker = Number((await this.list(node)).get('workerpid') ?? 0);
    return [this.#daemon(node), worker].filter((pid) => pid > 0);
  }

  /** Stops what runs and leaves nothing behind. */
  async close(): Promise<void> {
    for (const node of ['a', 'b'] as const) {
      const pid = this.#daemon(node);
      if (pid === 0) continue;
      const { status } = await this.run(`hastctl stop ${this.options(node)}`);
      if (status !== 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** 0 when none runs. */
  #daemon(node: NodeName): number {
    const pidfile = this.path(node, 'hastd.pid');
    const pid = existsSync(pidfile) ? Number(readFileSync(pidfile, 'latin1')) : 0;
    return pid > 0 && isAlive(pid) ? pid : 0;
  }

  #install(program: string): void {
    const path = this.path('bin', program);
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${join(PROGRAMS, `${program}.js`)}" "$@"\n`);
    chmodSync(path, 0o755);
  }
}

/** Unix socket paths are short, and hast.conf has no quoting: not every TMPDIR will do. */
function temporaryFolder(): string {
  const preferred = tmpdir();
  if (!/^[\w./-]{1,60}$/.test(preferred)) return '/tmp';
  try {
    accessSync(preferred, constants.W_OK);
    return preferred;
  } catch {
    return '/tmp';
  }
}

function configuration(folder: string, portA: number, portB: number): string {
  return `on a {
    listen tcp4://127.0.0.1:${portA}
}
on b {
    listen tcp4://127.0.0.1:${portB}
}
resource ${RESOURCE} {
    on a {
        local ${folder}/a/disk
        remote tcp4://127.0.0.1:${portB}
    }
    on b {
        local ${folder}/b/disk
        remote tcp4://127.0.0.1:${portA}
    }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
