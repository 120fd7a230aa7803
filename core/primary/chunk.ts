import { portError, type PortError } from '../ports/error.js';
import type { DeviceRange, Parts } from './parts.js';
import type { RemoteLegOwner, Session } from './session.js';

export interface ChunkOwner {
  chunkFinished(chunk: Chunk, error: PortError | null): void;
}

/**
 * One piece of an extent on its way from the node that has the newest data to the other: read there, write here, with the
 * range locked against application writes (I22). Bound to the session it began in (W11): on any other it is a failure.
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
    this.#stage = 'reading';
    if (this.pull) this.#requestRemote('read');
    else this.#parts.disk.read(this.#parts.localoff + this.offset, this.#buffer, this.#localFinished);
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

  #advance(error: PortError | null): void {
    if (error !== null || this.#stage === 'writing') {
      this.#finish(error);
    } else if (!this.#session.open) {
      this.#finish(portError('ENOTCONN', 'the session ended'));
    } else {
      this.#stage = 'writing';
      if (this.pull)
        this.#parts.disk.write(this.#parts.localoff + this.offset, this.#buffer, this.#localFinished);
      else this.#requestRemote('write');
    }
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
    const { offset, length } = this;
    this.#session.request({ command, offset, length, data: this.#buffer, memsync: false, copy: false }, this);
  }

  #finish(error: PortError | null): void {
    this.#parts.ranges.release(this);
    this.#owner.chunkFinished(this, error);
  }
}
