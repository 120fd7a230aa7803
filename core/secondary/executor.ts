import { assert } from '../base/assert.js';
import type { ResourceConfig } from '../config/types.js';
import { BufferPool } from '../base/buffer-pool.js';
import { newBuffer } from '../base/slab.js';
import { RangeSet } from '../base/range-set.js';
import { METADATA_BYTES } from '../metadata/geometry.js';
import { MAX_LOCAL_BAD, type Metadata } from '../metadata/codec.js';
import type { MetadataStore } from '../metadata/store.js';
import { portError, type Done, type PortError } from '../ports/error.js';
import { describeRequest, logRequest } from '../request/describe.js';
import { RangeLocks, type RangeHolder } from '../request/range-locks.js';
import { Statistics } from '../resource/statistics.js';
import type { WorkerPorts } from '../resource/worker.js';
import type { Connection } from '../wire/connection.js';
import { sealPayload } from '../wire/payload.js';
import { replyFrame } from '../wire/request-frames.js';
import type { IoCommand, Reply } from '../wire/request-messages.js';

const MAX_REQUESTS = 256;
/** Payload held for requests in progress, bytes. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Ours: the primary knows by it that these bytes are its own, even if it is out of date otherwise (W18). */
const BAD_HERE = portError('ESTALE', 'this node never got the newest data');

export interface Order {
  readonly command: IoCommand;
  readonly seq: number;
  readonly offset: number;
  readonly length: number;
  readonly memsync: boolean;
  /** WRITE: what to write. READ: where to put it. From `newData`. */
  readonly data: Uint8Array | null;
}

export interface ExecutorOptions {
  readonly connB: Connection;
  readonly version: number;
  readonly metadata: MetadataStore;
  readonly mapBytes: number;
  readonly config: () => ResourceConfig;
  /** After `drain`: nothing is in progress any more. */
  readonly drained: () => void;
}

/** One request in progress. A FLUSH stands for the whole device. */
class Running implements RangeHolder {
  readonly order: Order;
  readonly offset: number;
  readonly length: number;
  readonly #run: (running: Running) => void;

  constructor(order: Order, datasize: number, run: (running: Running) => void) {
    const whole = order.command === 'flush';
    this.order = order;
    this.offset = whole ? 0 : order.offset;
    this.length = whole ? datasize : order.length;
    this.#run = run;
  }

  rangeGranted(): void {
    this.#run(this);
  }
}

/**
 * May `later` run beside `earlier`? Overlapping writes keep their order (I21), reads come after the writes before them, and a
 * FLUSH covers every write that arrived before it; it holds up nobody.
 */
function conflicts({ order: earlier }: Running, { order: later }: Running): boolean {
  if (later.command === 'flush') return changes(earlier);
  if (earlier.command === 'flush') return false;
  return changes(earlier) || changes(later);
}

function changes({ command }: Order): boolean {
  return command === 'write' || command === 'delete';
}

/**
 * Executes requests on the secondary's disk and answers them on connection B. The first one of a session erases the map on
 * disk: by then the primary has made the merged map durable (core/spec/metadata.md section 3.3, I11).
 */
export class Executor {
  readonly #ports: WorkerPorts;
  readonly #localoff: number;
  readonly #datasize: number;
  readonly #options: ExecutorOptions;
  readonly #buffers = new BufferPool();
  readonly #running = new RangeLocks<Running>(conflicts);
  #heldBytes = 0;
  #erasing = false;
  #erased = false;
  #draining = false;
  #room: (() => void) | null = null;
  readonly statistics = new Statistics();

  constructor(ports: WorkerPorts, metadata: Metadata, options: ExecutorOptions) {
    this.#ports = ports;
    this.#localoff = metadata.localoff;
    this.#datasize = metadata.datasize;
    this.#options = options;
  }

  get busy(): number {
    return this.#running.size;
  }

  get idle(): number {
    return Math.max(0, MAX_REQUESTS - 1 - this.busy);
  }

  /** No further request should be received until `whenRoom`. */
  get full(): boolean {
    return this.busy >= MAX_REQUESTS || this.#heldBytes >= MAX_BYTES;
  }

  whenRoom(resume: () => void): void {
    this.#room = resume;
  }

  /** Memory for the data of an order; it comes back with the order. */
  newData(length: number): Uint8Array {
    return this.#buffers.take(length);
  }

  /** A request that was received in full and checked. */
  execute(order: Order): void {
    this.statistics.requested(order.command);
    logRequest(this.#ports.log, order);
    if (order.memsync) this.#reply({ seq: order.seq, received: true, error: null });
    if (!this.#erased) this.#eraseMap();
    this.#heldBytes += order.data?.length ?? 0;
    this.#running.acquire(new Running(order, this.#datasize, this.#run));
  }

  /** A request that failed the checks is answered and otherwise ignored. */
  reject(command: IoCommand, seq: number, memsync: boolean, error: PortError): void {
    this.statistics.failed(command);
    this.#ports.log.write('error', `Request rejected: ${error.message}.`);
    this.#reply({ seq, received: memsync, error: error.code });
  }

  /** Calls `drained` once nothing is in progress. */
  drain(): void {
    this.#draining = true;
    this.#checkDrained();
  }

  readonly #run = (running: Running): void => {
    const { disk } = this.#ports;
    const { command, offset, length, data } = running.order;
    const done = (error: PortError | null): void => {
      if (error === null && command !== 'read' && this.#isBad(running.order)) this.#mended(running);
      else this.#finished(running, error);
    };
    const at = this.#localoff + offset;
    if (command === 'read' && this.#isBad(running.order)) done(BAD_HERE);
    else if (command === 'flush') disk.flush(done);
    else if (command === 'delete') disk.delete(at, length, done);
    else this.#transfer(command, at, data, done);
  };

  #transfer(command: 'read' | 'write', at: number, data: Uint8Array | null, done: Done): void {
    assert(data !== null, 'a READ or WRITE has a buffer');
    if (command === 'read') this.#ports.disk.read(at, data, done);
    else this.#ports.disk.write(at, data, done);
  }

  /** Bytes that a local write failed on while this node was primary: the primary of today has newer ones (W18). */
  #isBad(order: Order): boolean {
    const { localBad } = this.#options.metadata.current;
    return localBad.length > 0 && new RangeSet(localBad).overlaps(order);
  }

  /** They were written now; the answer waits until a promoted node would know. */
  #mended(running: Running): void {
    const change = ({ localBad }: Metadata): Partial<Metadata> => {
      const left = new RangeSet(localBad);
      left.remove(running.order);
      return left.ranges.length > MAX_LOCAL_BAD ? {} : { localBad: left.ranges };
    };
    this.#options.metadata.updateAfterData(change, (error) => {
      this.#finished(running, error);
    });
  }

  #finished(running: Running, error: PortError | null): void {
    const { order } = running;
    if (error !== null) {
      this.statistics.failed(order.command);
      const text = `Local request failed (${error.message}): ${describeRequest(order)}.`;
      this.#ports.log.write('error', text);
    }
    this.#heldBytes -= order.data?.length ?? 0;
    this.#running.release(running);
    const reply = { seq: order.seq, received: false, error: error?.code ?? null };
    if (order.command === 'read' && error === null) this.#replyWith(reply, order.data);
    else this.#reply(reply);
    // The answer to a READ may be on its way to the network still.
    if (order.command === 'write' && order.data !== null) this.#buffers.give(order.data);
    if (this.#room !== null && !this.full) {
      const resume = this.#room;
      this.#room = null;
      resume();
    }
    this.#checkDrained();
  }

  #reply(reply: Reply): void {
    const { connB, version } = this.#options;
    connB.send([replyFrame(version, reply, null)]);
  }

  #replyWith(reply: Reply, data: Uint8Array | null): void {
    assert(data !== null, 'a READ has a buffer');
    const { connB, version, config } = this.#options;
    const payload = sealPayload(this.#ports.codecs, config(), data);
    const messageSent = (): void => {
      this.#buffers.give(data);
    };
    connB.send([replyFrame(version, reply, payload.spec), payload.data], { messageSent });
  }

  #eraseMap(): void {
    if (this.#erasing) return;
    this.#erasing = true;
    this.#ports.disk.write(METADATA_BYTES, newBuffer(this.#options.mapBytes), (error) => {
      this.#erasing = false;
      this.#erased = error === null;
      if (error !== null) {
        this.statistics.failed('write');
        this.#ports.log.write('error', `Unable to clear the activemap: ${error.message}.`);
      }
      this.#checkDrained();
    });
  }

  #checkDrained(): void {
    if (this.#draining && this.busy === 0 && !this.#erasing) this.#options.drained();
  }
}
