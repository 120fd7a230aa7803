/**
 * An application that writes all the time and remembers what it was promised. Like any program on a reconnecting
 * client (qemu, nbdkit's retry filter) it repeats what was not answered when its connection is lost, until it is told
 * to stop or nobody has served it for too long. Never are two of its writes to one block under way.
 */
import { eventually } from '../../e2e/cluster.js';
import type { NbdClient } from '../../../native/nbd/client.js';
import { NbdError } from '../../../native/nbd/client.js';
import type { Random } from '../../../sim/random.js';
import type { StampedWrite } from './ledger.js';
import { BLOCK_BYTES, bytesOf, Ledger } from './ledger.js';

const MAX_RUN_BLOCKS = 8;
const READ_BYTES = 1 << 20;
const RECONNECT_MS = 50;
const PATIENCE_MS = 60_000;
/** What says that the connection, or the device behind it, is gone. */
const CONNECTION_ERRORS: ReadonlySet<string> = new Set(['ECONNRESET', 'ECONNABORTED', 'ESHUTDOWN']);

export interface ApplicationOptions {
  readonly blocks: number;
  readonly random: Random;
  /** Connects to whoever is primary now; rejects while nobody is. */
  readonly connect: () => Promise<NbdClient>;
  /** How many requests are under way at once; default 8. */
  readonly inFlight?: number;
  /** Each of them flushes after so many writes; default 16. */
  readonly writesPerFlush?: number;
  /** Each of them rests so long after a write; default 5. */
  readonly restMs?: number;
  /** Hears of everything in order, the ledger too. */
  readonly witness?: ApplicationWitness;
}

export interface ApplicationWitness {
  issued(write: StampedWrite): void;
  acknowledged(write: StampedWrite): void;
  flushed(acknowledgements: number): void;
}

export class Application {
  readonly ledger: Ledger;
  writes = 0;
  flushes = 0;
  /** Errors that requests were answered with, by code. */
  readonly errors = new Map<string, number>();
  /** How often it had to connect anew. */
  reconnections = 0;
  /** The longest time from a write's first try to its acknowledgement. */
  longestMs = 0;
  readonly #options: ApplicationOptions;
  readonly #busy = new Set<number>();
  #nextStamp = 1;
  #client: Promise<NbdClient> | null = null;
  #running: Promise<unknown> | null = null;
  #isStopping = false;
  #isDead = false;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.ledger = new Ledger(options.blocks);
  }

  start(): void {
    this.#isStopping = false;
    this.#isDead = false;
    const writers = Array.from({ length: this.#options.inFlight ?? 8 }, () => this.#work());
    this.#running = Promise.all(writers);
  }

  /** Resolves when everything under way has been answered and the connection is given up. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#running = null;
    await this.disconnect();
  }

  /** The machine it runs on dies: nothing more is sent, nothing more is heard. */
  async die(): Promise<void> {
    this.#isStopping = true;
    this.#isDead = true;
    const client = this.#client;
    this.#client = null;
    (await client?.catch(() => null))?.destroy();
    await this.#running;
    this.#running = null;
  }

  async disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await (await client?.catch(() => null))?.disconnect();
  }

  /** Resolves after `count` more acknowledged writes. */
  async progress(count: number): Promise<void> {
    const goal = this.writes + count;
    await eventually(`${count} more writes`, () => this.writes >= goal, PATIENCE_MS);
  }

  async #work(): Promise<void> {
    const { writesPerFlush = 16, restMs = 5 } = this.#options;
    for (let count = 1; !this.#isStopping; count++) {
      await this.#writeSomewhere();
      if (count % writesPerFlush === 0 && !this.#isStopping) await this.#flush();
      await rest(restMs);
    }
  }

  async #writeSomewhere(): Promise<void> {
    const write = this.#choose();
    const began = performance.now();
    this.ledger.issued(write);
    this.#options.witness?.issued(write);
    const content = bytesOf(write);
    const wasDone = await this.#repeat((client) => client.write(write.firstBlock * BLOCK_BYTES, content));
    for (let i = 0; i < write.blocks; i++) this.#busy.delete(write.firstBlock + i);
    if (!wasDone) return;
    this.ledger.acknowledged(write);
    this.#options.witness?.acknowledged(write);
    this.writes++;
    this.longestMs = Math.max(this.longestMs, performance.now() - began);
  }

  async #flush(): Promise<void> {
    const covered = this.ledger.acknowledgements;
    if (!(await this.#repeat((client) => client.flush()))) return;
    this.ledger.flushed(covered);
    this.#options.witness?.flushed(covered);
    this.flushes++;
  }

  /** A run of blocks that nobody writes to at the moment. */
  #choose(): StampedWrite {
    const { random, blocks: all } = this.#options;
    for (;;) {
      const blocks = 1 + random.below(MAX_RUN_BLOCKS);
      const firstBlock = random.below(all - blocks + 1);
      const run = Array.from({ length: blocks }, (_, i) => firstBlock + i);
      if (run.some((block) => this.#busy.has(block))) continue;
      for (const block of run) this.#busy.add(block);
      return { firstBlock, blocks, stamp: this.#nextStamp++ };
    }
  }

  /** Asks until there is an answer. False: the answer was an error, or the application died before it came. */
  async #repeat(request: (client: NbdClient) => Promise<void>): Promise<boolean> {
    const deadline = performance.now() + PATIENCE_MS;
    let last: unknown = null;
    while (performance.now() < deadline) {
      if (this.#isDead) return false;
      const connection = (this.#client ??= this.#options.connect());
      try {
        await request(await connection);
        return true;
      } catch (error) {
        last = error;
        if (error instanceof NbdError && !CONNECTION_ERRORS.has(error.code)) {
          this.errors.set(error.code, (this.errors.get(error.code) ?? 0) + 1);
          return false;
        }
        if (this.#client === connection) {
          this.#client = null;
          this.reconnections++;
        }
        await rest(RECONNECT_MS);
      }
    }
    throw new Error(`nobody served the application for ${PATIENCE_MS / 1000} s: ${String(last)}`);
  }
}

/** What can be read now of the first `blocks` of a device; says goodbye to it. */
export async function contentOf(client: NbdClient, blocks: number): Promise<Uint8Array> {
  const content = new Uint8Array(blocks * BLOCK_BYTES);
  for (let at = 0; at < content.length; at += READ_BYTES) {
    content.set(await client.read(at, Math.min(READ_BYTES, content.length - at)), at);
  }
  await client.disconnect();
  return content;
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
