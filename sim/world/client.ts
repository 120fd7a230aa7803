/**
 * The application of a world: uses the device of whichever node offers one, or of both. Every word of what it writes is the
 * number of the write, so that one word of a disk tells what is there. It remembers what judges need, and judges nothing.
 */
import { newBuffer } from '../../core/base/slab.js';
import type { PortError } from '../../core/ports/error.js';
import type { ClientRequest } from '../checkers/checker.js';
import type { Judges } from '../checkers/judges.js';
import type { DeviceUser, SimDevice } from '../devices.js';
import type { Scheduler } from '../scheduler.js';
import { BLOCK_BYTES, type NodeName, type Request } from '../script/script.js';

const WORDS = BLOCK_BYTES / 4;

export interface ClientCounts {
  issued: number;
  acknowledged: number;
  failed: number;
  reads: number;
}

export class Client {
  readonly seats: Readonly<Record<NodeName, Seat>>;
  readonly counts: ClientCounts = { issued: 0, acknowledged: 0, failed: 0, reads: 0 };
  /** What was written under a label. */
  readonly labels = new Map<string, number>();
  /** The last answer. */
  last: ClientRequest | null = null;

  constructor(judges: Judges, scheduler: Scheduler, forced: (node: NodeName) => boolean) {
    const seat = (node: NodeName) => new Seat(node, this, judges, scheduler, () => forced(node));
    this.seats = { a: seat('a'), b: seat('b') };
  }

  get outstanding(): number {
    return this.seats.a.outstanding.size + this.seats.b.outstanding.size;
  }

  /** The node whose device an application would use; null: there is none. */
  get node(): NodeName | null {
    if (this.seats.a.device !== null) return 'a';
    return this.seats.b.device === null ? null : 'b';
  }

  /** False: there is no device to submit to, or the request does not fit on it. */
  submit(node: NodeName | null, request: Request): boolean {
    const where = node ?? this.node;
    return where !== null && this.seats[where].submit(request);
  }
}

/** The application as the device of one node sees it. */
export class Seat implements DeviceUser {
  device: SimDevice | null = null;
  readonly outstanding = new Map<number, ClientRequest>();
  readonly #node: NodeName;
  readonly #client: Client;
  readonly #judges: Judges;
  readonly #scheduler: Scheduler;
  readonly #forced: () => boolean;
  #nextId = 1;

  constructor(node: NodeName, client: Client, judges: Judges, scheduler: Scheduler, forced: () => boolean) {
    this.#node = node;
    this.#client = client;
    this.#judges = judges;
    this.#scheduler = scheduler;
    this.#forced = forced;
  }

  deviceAppeared(device: SimDevice): void {
    this.device = device;
    this.#judges.deviceAppeared(this.#node, this.#forced());
  }

  deviceVanished(device: SimDevice): void {
    if (this.device !== device) return;
    this.device = null;
    for (const { write } of this.outstanding.values()) if (write !== 0) this.#judges.ledger.end(write);
    this.outstanding.clear();
    this.#judges.deviceVanished(this.#node);
  }

  submit(request: Request): boolean {
    const { device } = this;
    if (device === null) return false;
    const [block, count] = request.kind === 'flush' ? [0, 0] : [request.block, request.count];
    if ((block + count) * BLOCK_BYTES > device.geometry.mediaSize) return false;
    const id = this.#nextId++;
    const record = this.#record(request, block, count);
    this.outstanding.set(id, record);
    this.#scheduler.trace(() => `${this.#node}: application ${describe(record)}`);
    this.#judges.issued(record);
    const { words } = record;
    const data = words === null ? null : new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    const { command } = record;
    device.submit({ id, command, offset: block * BLOCK_BYTES, length: count * BLOCK_BYTES, data });
    return true;
  }

  completed(requestId: number): void {
    const request = this.outstanding.get(requestId);
    if (request !== undefined) request.answeredIn = this.#judges.ledger.sessionOf(this.#node);
  }

  answered(requestId: number, error: PortError | null): void {
    const request = this.outstanding.get(requestId);
    // The device may have vanished while the answer was on its way.
    if (request === undefined) return;
    this.outstanding.delete(requestId);
    request.error = error === null ? null : error.code;
    const { counts } = this.#client;
    if (error === null) counts.acknowledged++;
    else counts.failed++;
    this.#scheduler.trace(() => `${this.#node}: answer ${describe(request)}: ${error?.code ?? 'ok'}`);
    const { ledger } = this.#judges;
    if (request.write !== 0) ledger.end(request.write);
    this.#client.last = request;
    this.#judges.answered(request);
    // The buffer is the application's again, and is used for something else.
    if (request.command === 'write') request.words?.fill(0xffff_ffff);
  }

  #record(request: Request, block: number, count: number): ClientRequest {
    const { ledger } = this.#judges;
    const { term } = ledger.facts[this.#node];
    const { kind: command } = request;
    const isWrite = command === 'write' || command === 'delete';
    const write = isWrite ? ledger.issue(this.#node, block, count, command === 'delete') : 0;
    let words: Uint32Array | null = null;
    if (command === 'write' || command === 'read') words = newWords(count * WORDS);
    if (command === 'write') {
      words?.fill(write);
      if (request.label !== null) this.#client.labels.set(request.label, write);
    }
    const floors = command === 'read' ? (term?.floor.slice(block, block + count) ?? null) : null;
    const covers = command === 'flush' ? ledger.flushCovers(this.#node) : null;
    const issuedMs = this.#scheduler.nowMs;
    const session = ledger.sessionOf(this.#node);
    const node = this.#node;
    const number = ++this.#client.counts.issued;
    return {
      number,
      node,
      command,
      block,
      count,
      write,
      words,
      issuedMs,
      floors,
      covers,
      term,
      session,
      answeredIn: null,
      error: undefined,
    };
  }
}

function newWords(count: number): Uint32Array {
  const { buffer, byteOffset } = newBuffer(4 * count);
  return new Uint32Array(buffer, byteOffset, count);
}

function describe({ command, write, block, count }: ClientRequest): string {
  const number = write === 0 ? '' : ` #${String(write)}`;
  return command === 'flush' ? 'flush' : `${command}${number} of ${String(block)}+${String(count)}`;
}
