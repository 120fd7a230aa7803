import type { Codecs } from '../ports/codecs.js';
import type { Disk } from '../ports/disk.js';
import type { Done, PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';
import { encodeMetadata, withChange, type Metadata } from './codec.js';

/** The change is computed when its turn comes, from what is durable by then. */
export type MetadataChange = (current: Metadata) => Partial<Metadata>;

interface Update {
  readonly change: MetadataChange;
  readonly done: Done;
  readonly says: 'nothing of the data' | 'data is here';
}

/**
 * The metadata block of one component: every change is written and flushed before anybody is told (W3), one after the
 * other. A change that cannot be stored is reported and has not happened.
 */
export class MetadataStore {
  readonly #disk: Disk;
  readonly #codecs: Codecs;
  readonly #log: Log;
  readonly #queue: Update[] = [];
  #current: Metadata;
  #writing: Metadata | null = null;
  #doubtful = false;
  writeErrors = 0;

  constructor(ports: { disk: Disk; codecs: Codecs; log: Log }, current: Metadata) {
    this.#disk = ports.disk;
    this.#codecs = ports.codecs;
    this.#log = ports.log;
    this.#current = current;
  }

  /** What is durable. */
  get current(): Metadata {
    return this.#current;
  }

  /** The last update failed: until the next one the medium may hold the change, although it has not happened. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  update(change: MetadataChange, done: Done): void {
    this.#add({ change, done, says: 'nothing of the data' });
  }

  /** The change says that data is here which was written before this call: a power failure must not take that and leave the change. */
  updateAfterData(change: MetadataChange, done: Done): void {
    this.#add({ change, done, says: 'data is here' });
  }

  #add(update: Update): void {
    this.#queue.push(update);
    if (this.#writing === null) this.#writeNext();
  }

  #writeNext(): void {
    const next = this.#queue[0];
    if (next === undefined) return;
    this.#writing = withChange(this.#current, next.change(this.#current));
    if (next.says === 'data is here') this.#disk.flush(this.#dataFlushed);
    else this.#write(this.#writing);
  }

  #write(metadata: Metadata): void {
    this.#disk.write(0, encodeMetadata(metadata, this.#codecs), this.#written);
  }

  readonly #dataFlushed = (error: PortError | null): void => {
    if (error !== null && error.code !== 'EOPNOTSUPP') this.#finish(error);
    else if (this.#writing !== null) this.#write(this.#writing);
  };

  readonly #written = (error: PortError | null): void => {
    if (error !== null) this.#finish(error);
    else this.#disk.flush(this.#flushed);
  };

  readonly #flushed = (error: PortError | null): void => {
    // A medium that has no cache to flush has stored the block by now.
    this.#finish(error?.code === 'EOPNOTSUPP' ? null : error);
  };

  #finish(error: PortError | null): void {
    const finished = this.#queue.shift();
    this.#doubtful = error !== null;
    if (error === null && this.#writing !== null) {
      this.#current = this.#writing;
    } else if (error !== null) {
      this.writeErrors++;
      this.#log.write('error', `Unable to write metadata: ${error.message}.`);
    }
    this.#writing = null;
    finished?.done(error);
    if (this.#writing === null) this.#writeNext();
  }
}
