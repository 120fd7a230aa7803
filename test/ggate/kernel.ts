/**
 * The fake GEOM gate kernel (test/ggate/kernel) as a process, and applications that use its providers. The addon that
 * was built for it finds it by HAST_GGATE_KERNEL, or is told.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from '../../native/addon.js';
import { assert } from '../../core/base/assert.js';
import { ggateError } from '../../native/ggate/errors.js';

const BUILT = fileURLToPath(new URL('../../../test/ggate/kernel/build/Release/', import.meta.url));
const PROGRAM = join(BUILT, 'ggate_kernel');
/** The addon on the fake kernel. */
export const FAKE_ADDON = join(BUILT, 'hast.node');

export const isKernelBuilt = existsSync(PROGRAM) && existsSync(FAKE_ADDON);
if (!isKernelBuilt) console.log('not run: everything with the fake GEOM gate kernel (it was not built)');

/** The addon, on `kernel` from now on. */
export function fakeAddon(kernel: Kernel): Addon {
  const addon = createRequire(import.meta.url)(FAKE_ADDON) as Addon & { useKernel(path: string): void };
  addon.useKernel(kernel.socketPath);
  return addon;
}

const OP = {
  submit: 10,
  openProvider: 11,
  closeProvider: 12,
  destroy: 20,
  interrupt: 21,
  look: 22,
} as const;

export const BIO = { read: 1, write: 2, delete: 3, flush: 5, speedup: 10 } as const;

const HEADER_BYTES = 48;
const REPLY_BYTES = 16;

export interface ProviderState {
  /** -1: there is no such provider. */
  readonly unit: number;
  readonly mediaSize: number;
  readonly sectorSize: number;
  readonly info: string;
  readonly inQueue: number;
  readonly outQueue: number;
  /** Requests that were completed twice. */
  readonly doubled: number;
  /** What would have stopped the real kernel. */
  readonly panic: string;
}

class IoError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (data: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** One application, with any number of requests under way. */
export class Application {
  readonly #socket: Socket;
  readonly #provider: Buffer;
  readonly #waiting = new Map<number, Waiting>();
  #received = Buffer.alloc(0);
  #nextId = 1;

  constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.#provider = Buffer.from(name);
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#parse();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new IoError('EPIPE'));
      this.#waiting.clear();
    });
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.submit(BIO.read, offset, length);
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    await this.submit(BIO.write, offset, data.length, data);
  }

  async delete(offset: number, length: number): Promise<void> {
    await this.submit(BIO.delete, offset, length);
  }

  async flush(): Promise<void> {
    await this.submit(BIO.flush, 0, 0);
  }

  submit(
    command: number,
    offset: number,
    length: number,
    data: Uint8Array = new Uint8Array(0),
  ): Promise<Buffer> {
    return this.#ask(OP.submit, { a: command, b: offset, d: length }, data);
  }

  async open(writable: boolean): Promise<void> {
    await this.#ask(OP.openProvider, { a: writable ? 1 : 0 });
  }

  async close(writable: boolean): Promise<void> {
    await this.#ask(OP.closeProvider, { a: writable ? 1 : 0 });
  }

  /** `ggatel destroy -f`. */
  async destroy(): Promise<void> {
    await this.#ask(OP.destroy, {});
  }

  /** Signals reach everybody who sleeps in START. */
  async interrupt(): Promise<void> {
    await this.#ask(OP.interrupt, {});
  }

  async look(): Promise<ProviderState> {
    return JSON.parse((await this.#ask(OP.look, {})).toString()) as ProviderState;
  }

  /** Goes away without a word. */
  die(): void {
    this.#socket.destroy();
  }

  #ask(
    op: number,
    { a = 0, b = 0, d = 0 }: { a?: number; b?: number; d?: number },
    data: Uint8Array = new Uint8Array(0),
  ): Promise<Buffer> {
    const id = this.#nextId++;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(op, 0);
    header.writeUInt32LE(id, 4);
    header.writeBigUInt64LE(BigInt(a), 8);
    header.writeBigInt64LE(BigInt(b), 16);
    header.writeBigInt64LE(BigInt(this.#provider.length), 24);
    header.writeBigInt64LE(BigInt(d), 32);
    header.writeUInt32LE(this.#provider.length + data.length, 40);
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new IoError('EPIPE'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#socket.write(Buffer.concat([header, this.#provider, data]));
    });
  }

  #parse(): void {
    while (this.#received.length >= REPLY_BYTES) {
      const end = REPLY_BYTES + this.#received.readUInt32LE(8);
      if (this.#received.length < end) return;
      const id = this.#received.readUInt32LE(0);
      const errno = this.#received.readInt32LE(4);
      const data = this.#received.subarray(REPLY_BYTES, end);
      this.#received = this.#received.subarray(end);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      assert(waiting !== undefined, 'a request is answered once');
      if (errno === 0) waiting.resolve(data);
      else waiting.reject(new IoError(ggateError(errno).code));
    }
  }
}

/** A running kernel. */
export class Kernel {
  readonly socketPath: string;
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #applications: Application[] = [];

  private constructor(directory: string, socketPath: string, child: ChildProcess) {
    this.#directory = directory;
    this.socketPath = socketPath;
    this.#process = child;
  }

  /** Options of the program: `release=12`, `taste=4`, `module=0`. */
  static async start(...options: readonly string[]): Promise<Kernel> {
    const directory = mkdtempSync(join(tmpdir(), 'hast-ggate-'));
    const socketPath = join(directory, 'kernel');
    const child = spawn(PROGRAM, [socketPath, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => {
        resolve();
      });
      child.once('exit', (code) => {
        reject(new Error(`the fake kernel ended with ${String(code)}`));
      });
    });
    return new Kernel(directory, socketPath, child);
  }

  /** An application of `provider`, given without `hast/`. */
  async application(provider: string): Promise<Application> {
    const socket = connect(this.socketPath);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const application = new Application(socket, `hast/${provider}`);
    this.#applications.push(application);
    return application;
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    for (const application of this.#applications) application.die();
    this.#process.kill('SIGKILL');
    await gone;
    rmSync(this.#directory, { recursive: true });
  }
}
