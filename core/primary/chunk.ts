import type { ByteRange } from '../base/range-set.js';
import { portError, type PortError } from '../ports/error.js';
import type { DeviceRange, Parts } from './parts.js';
import type { RemoteLegOwner, Session } from './session.js';

export interface ChunkOwner {
  chunkFinished(chunk: Chunk, error: PortError | null): void;
}

/**
 * One piece of an extent on its way from the node that has the newest data to the other: read there, write here, with the
 * range locked against application writes (I22). Bound to the session it began in (W11): on any other it is a failure.
 *
 * A peer that is the source may never have got some of the bytes itself, because its disk failed then and this node's did not
 * (W18): it answers ESTALE. The range is then halved until such sectors are found, and they go the other way.
 */
export class Chunk implements DeviceRange, RemoteLegOwner {
  readonly kind = 'chunk';
  readonly offset: number;
  readonly length: number;
  readonly #parts: Parts;
  readonly #session: Session;
  /** From the peer to this node, else from here to the peer. */
  readonly pull: boolean;
  readonly #owner: ChunkOwner;
  readonly #buffer: Uint8Array;
  #stage: 'waiting' | 'reading' | 'writing' = 'waiting';
  /** What is copied now, and which way; usually all of it. */
  #part: ByteRange;
  #pulls: boolean;
  /** Parts that wait. */
  readonly #rest: ByteRange[] = [];

  /** `buffer` is lent until the chunk has finished. */
  constructor(
    parts: Parts,
    session: Session,
    range: { offset: number; length: number; pull: boolean },
    buffer: Uint8Array,
    owner: ChunkOwner,
  ) {
    this.#parts = parts;
    this.#session = session;
    this.offset = range.offset;
    this.length = range.length;
    this.pull = range.pull;
    this.#buffer = buffer.subarray(0, range.length);
    this.#owner = owner;
    this.#part = this;
    this.#pulls = range.pull;
  }

  start(): void {
    this.#parts.ranges.acquire(this);
  }

  rangeGranted(): void {
    if (!this.#session.open) {
      this.#finish(portError('ENOTCONN', 'the session ended'));
      return;
    }
    if (!this.#sourceIsGood()) {
      this.#finish(portError('EIO', 'the newest data is not where it would be copied from'));
      return;
    }
    this.#read();
  }

  remoteReceived(): void {
    // Never asked for: synchronisation writes are not memsync.
  }

  remoteFinished(error: PortError | null): void {
    this.#advance(error);
  }

  readonly #localFinished = (error: PortError | null): void => {
    if (error !== null) this.#parts.statistics.failed(this.#stage === 'reading' ? 'read' : 'write');
    this.#advance(error);
  };

  #read(): void {
    this.#stage = 'reading';
    if (this.#pulls) this.#requestRemote('read');
    else this.#parts.disk.read(this.#parts.localoff + this.#part.offset, this.#data, this.#localFinished);
  }

  #advance(error: PortError | null): void {
    const isNewestHere = error?.code === 'ESTALE' && this.#pulls && this.#stage === 'reading';
    if (!this.#session.open) {
      this.#finish(error ?? portError('ENOTCONN', 'the session ended'));
    } else if (isNewestHere && !this.#parts.truth.isMarked(this.#part)) {
      this.#turn();
    } else if (error !== null) {
      this.#finish(error);
    } else if (this.#stage === 'writing') {
      this.#next();
    } else {
      this.#stage = 'writing';
      if (this.#pulls)
        this.#parts.disk.write(this.#parts.localoff + this.#part.offset, this.#data, this.#localFinished);
      else this.#requestRemote('write');
    }
  }

  /** Somewhere in the part is a sector whose newest data is here. */
  #turn(): void {
    const { offset, length } = this.#part;
    const { sectorSize } = this.#parts.disk;
    if (length > sectorSize) {
      const half = Math.ceil(length / sectorSize / 2) * sectorSize;
      this.#rest.push({ offset: offset + half, length: length - half });
      this.#part = { offset, length: half };
    } else {
      this.#pulls = false;
    }
    this.#read();
  }

  #next(): void {
    const part = this.#rest.pop();
    if (part === undefined) {
      this.#finish(null);
      return;
    }
    this.#part = part;
    this.#pulls = this.pull;
    this.#read();
  }

  get #data(): Uint8Array {
    const start = this.#part.offset - this.offset;
    return this.#buffer.subarray(start, start + this.#part.length);
  }

  /** Things may have changed while the chunk waited for its range. */
  #sourceIsGood(): boolean {
    const { truth, map } = this.#parts;
    const place = truth.of(this);
    if (!this.pull) return place === 'here';
    // Nothing but a sector that could not be read is written back where both have the newest data.
    return place === 'peer' || (place === 'here' && !map.needsSyncIn(map.rangeOf(this.offset, this.length)));
  }

  #requestRemote(command: 'read' | 'write'): void {
    const { offset, length } = this.#part;
    this.#session.request({ command, offset, length, data: this.#data, memsync: false, copy: false }, this);
  }

  #finish(error: PortError | null): void {
    this.#parts.ranges.release(this);
    this.#owner.chunkFinished(this, error);
  }
}
