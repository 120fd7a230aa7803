/**
 * A machine that takes a moment to boot: the processes of one set of namespaces (network, processes, mounts, host name),
 * under a first process that waits for the end of a pipe which only this process holds. Whatever ends the test, even
 * KILL, ends that pipe, and with the first process the kernel ends everything: processes, mounts, interfaces, loop devices
 * that nobody holds any more. So nothing has a name that another run could meet, and nothing is left behind.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../../e2e/cluster.js';
import type { Finished } from '../../e2e/cluster.js';

const COMMAND_LIMIT_MS = 120_000;
const NAMESPACES = [
  '--net',
  '--pid',
  '--uts',
  '--ipc',
  '--mount',
  '--mount-proc',
  '--propagation',
  'private',
];
/** Orphans are the first process's children; ignoring CHLD, it need not wait for them. */
const FIRST_PROCESS = ['env', '--ignore-signal=CHLD', 'cat'];

/** What the machines of a lab have in common. */
export interface Surroundings {
  /** Of the lab; each machine has a subfolder. */
  readonly folder: string;
  /** Directories where commands are looked for after the machine's own `bin`, as in PATH. */
  readonly path: string;
  /** Seconds since the story began. */
  now(): number;
}

export class Machine {
  readonly name: string;
  /** Survives a power failure; seen by all machines under the same path. */
  readonly folder: string;
  readonly #surroundings: Surroundings;
  readonly #programs: Program[] = [];
  #unshare: ChildProcess | null = null;
  #firstPid = 0;

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.#surroundings = surroundings;
    this.folder = join(surroundings.folder, name);
    mkdirSync(this.folder, { recursive: true });
  }

  get isOn(): boolean {
    return this.#firstPid !== 0;
  }

  /** Of the machine's first process, as seen from outside. */
  get firstPid(): number {
    if (this.#firstPid === 0) throw new Error(`${this.name} is off`);
    return this.#firstPid;
  }

  /** Everything started here, the ended ones too. */
  get programs(): readonly Program[] {
    return this.#programs;
  }

  /** A file of this machine, as this process can open it. */
  inside(path: string): string {
    return `/proc/${this.firstPid}/root${path}`;
  }

  async boot(): Promise<void> {
    if (this.isOn) throw new Error(`${this.name} is on already`);
    const unshare = spawn('unshare', [...NAMESPACES, '--fork', '--kill-child', ...FIRST_PROCESS], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: this.#environment(),
    });
    let complaint = '';
    unshare.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    this.#unshare = unshare;
    this.#firstPid = await eventually(`${this.name} to boot`, () => {
      if (unshare.exitCode === null) return childOf(unshare.pid ?? 0, 'cat');
      throw new Error(complaint);
    });
    await this.run(`hostname ${this.name}`);
  }

  /** Power off: KILL to every process at once. Resolves when nothing is left of them. */
  async kill(): Promise<void> {
    const unshare = this.#unshare;
    if (unshare === null) return;
    const running = this.#programs.filter((program) => program.isRunning);
    process.kill(this.firstPid, 'SIGKILL');
    this.#firstPid = 0;
    this.#unshare = null;
    for (const program of running) program.wake();
    await exitOf(unshare);
    await Promise.all(running.map((program) => program.ended()));
  }

  /** Runs a shell's command line to its end; never rejects. */
  try(command: string): Promise<Finished> {
    return finish('nsenter', this.#enter(command), this.#environment());
  }

  /** Runs a command line that has to succeed; its standard output. */
  async run(command: string): Promise<string> {
    return demand(`${this.name}# ${command}`, await this.try(command));
  }

  /** Runs a program in this machine's network that sees the processes of all. */
  async runOnNetwork(...program: readonly string[]): Promise<string> {
    const args = ['--target', String(this.firstPid), '--net', '--', ...program];
    return demand(`${this.name}# ${program.join(' ')}`, await finish('nsenter', args, this.#environment()));
  }

  /** Starts a command line that goes on; what it prints is in `NAME.log` of this machine's folder, with times. */
  start(name: string, command: string): Program {
    const child = spawn('nsenter', this.#enter(`exec ${command}`), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: this.#environment(),
    });
    const program = new Program(name, child, join(this.folder, `${name}.log`), this.#surroundings);
    this.#programs.push(program);
    return program;
  }

  #enter(command: string): readonly string[] {
    const spaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--wd=/'];
    return ['--target', String(this.firstPid), ...spaces, '--', 'sh', '-c', command];
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.folder}/bin:${this.#surroundings.path}`,
      HOME: '/root',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
    };
  }
}

export interface Line {
  /** Since the story began. */
  readonly atSeconds: number;
  readonly text: string;
}

/** A program that runs on a machine, and all that it has printed. */
export class Program {
  readonly name: string;
  readonly logPath: string;
  readonly #nsenter: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly #lines: Line[] = [];
  #log = '';

  constructor(name: string, nsenter: ChildProcess, logPath: string, clock: Pick<Surroundings, 'now'>) {
    this.name = name;
    this.logPath = logPath;
    this.#nsenter = nsenter;
    this.#exit = exitOf(nsenter);
    for (const stream of [nsenter.stdout, nsenter.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (text) => {
        const atSeconds = clock.now();
        this.#lines.push({ atSeconds, text });
        this.#log += `${text}\n`;
        appendFileSync(logPath, `${atSeconds.toFixed(3)} ${text}\n`);
      });
    }
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#nsenter.exitCode === null && this.#nsenter.signalCode === null;
  }

  /** One line of input. */
  say(line: string): void {
    this.#nsenter.stdin?.write(`${line}\n`);
  }

  /** Exit status; null: ended by a signal. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  /** Sends the program a signal and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.signal(signal);
    return this.#exit;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.isRunning) return;
    const pid = childOf(this.#nsenter.pid ?? 0);
    if (pid !== 0) process.kill(pid, signal);
    if (signal === 'SIGCONT') this.wake();
  }

  /** nsenter stops itself when its child is stopped; then it would not see the child's end, and the kernel waits for that. */
  wake(): void {
    this.#nsenter.kill('SIGCONT');
  }

  /** The first line from `from` on that matches. */
  async logged(pattern: RegExp | string, from = 0): Promise<string> {
    return eventually(`${this.name} to log ${String(pattern)}\n${this.#log}`, () =>
      this.#log
        .slice(from)
        .split('\n')
        .find((line) => matches(line, pattern)),
    );
  }

  /** The first line since then that matches, with the time it was printed. */
  async line(pattern: RegExp | string, sinceSeconds: number, limitMs = 45_000): Promise<Line> {
    return eventually(
      `${this.name} to log ${String(pattern)} after ${sinceSeconds.toFixed(1)} s`,
      () => this.#lines.find((line) => line.atSeconds >= sinceSeconds && matches(line.text, pattern)),
      limitMs,
    );
  }
}

function matches(line: string, pattern: RegExp | string): boolean {
  return typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
}

/** The only child of a process, once it is the program called `name`; 0 meanwhile. */
function childOf(pid: number, name?: string): number {
  const children = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(children)) return 0;
  const child = Number.parseInt(readFileSync(children, 'latin1'), 10);
  if (Number.isNaN(child)) return 0;
  if (name !== undefined && readFileSync(`/proc/${child}/comm`, 'latin1').trim() !== name) return 0;
  return child;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('close', resolve));
}

function finish(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  const options = { env, encoding: 'utf8', timeout: COMMAND_LIMIT_MS, maxBuffer: 64 << 20 } as const;
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ status, stdout, stderr });
    }).stdin?.end();
  });
}

function demand(what: string, { status, stdout, stderr }: Finished): string {
  if (status === 0) return stdout;
  throw new Error(`${what}\n${stdout}${stderr}exit status ${String(status)}`);
}
