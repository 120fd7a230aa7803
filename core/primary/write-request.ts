import type { MapWaiter } from '../activemap/map-store.js';
import type { ExtentRange } from '../activemap/activemap.js';
import { portError, type PortError } from '../ports/error.js';
import { mayAcknowledge, type LocalLeg, type RemoteLeg } from '../request/acknowledge.js';
import { describeRequest } from '../request/describe.js';
import type { RangeHolder } from '../request/range-locks.js';
import type { ReplicationMode } from '../config/types.js';
import type { Piece } from './intake.js';
import type { DeviceRange, Parts } from './parts.js';
import type { RemoteLegOwner } from './session.js';

const PEER_LACKS_IT = portError('EIO', 'the peer, which has the newest data, lacks the write');

/** A write's place among those that overlap it on the local disk. */
class LocalTurn implements RangeHolder {
  readonly offset: number;
  readonly length: number;
  readonly #write: WriteRequest;

  constructor({ offset, length }: Piece, write: WriteRequest) {
    this.offset = offset;
    this.length = length;
    this.#write = write;
  }

  rangeGranted(): void {
    this.#write.writeLocally();
  }
}

/**
 * The life of one WRITE or DELETE on the primary (DELETE is treated alike, W21):
 *
 *   start      wait for synchronisation chunks that overlap
 *   granted    mark the extents dirty; wait until their bits are durable (I10)
 *   issued     two legs: the peer (if a session is up) and the local disk, overlapping writes in the same order on both
 *   legs end   a failed leg becomes durable knowledge: the sync bit (W1, I8), the bumped count (W4), local-bad (W18)
 *   acked      as soon as the mode's promise holds (`mayAcknowledge`), after what the promise needs is durable
 *   finished   both legs ended and the application told: in-flight count, range and slot are released
 */
export class WriteRequest implements DeviceRange, MapWaiter, RemoteLegOwner {
  readonly kind = 'write';
  readonly offset: number;
  readonly length: number;
  readonly #parts: Parts;
  readonly #piece: Piece;
  readonly #command: 'write' | 'delete';
  readonly #extents: ExtentRange;
  readonly #localTurn: RangeHolder;
  #mode: ReplicationMode = 'fullsync';
  #local: LocalLeg = 'pending';
  #remote: RemoteLeg = 'pending';
  #error: PortError | null = null;
  #acknowledging = false;
  #acknowledged = false;
  /** A count is being stored because an acknowledged write was lost on its way to the peer. */
  #separating = false;
  #finished = false;

  constructor(parts: Parts, piece: Piece, command: 'write' | 'delete') {
    this.#parts = parts;
    this.#piece = piece;
    this.#command = command;
    this.offset = piece.offset;
    this.length = piece.length;
    this.#extents = parts.map.rangeOf(piece.offset, piece.length);
    this.#localTurn = new LocalTurn(piece, this);
  }

  /** It is this write's turn on the local disk. */
  writeLocally(): void {
    const { disk, localoff, statistics } = this.#parts;
    statistics.localQueue++;
    const { data } = this.#piece;
    if (data === null) disk.delete(localoff + this.offset, this.length, this.#localFinished);
    else disk.write(localoff + this.offset, data, this.#localFinished);
  }

  start(): void {
    this.#parts.ranges.acquire(this);
  }

  rangeGranted(): void {
    this.#parts.map.writeStarted(this.#extents);
    if (this.#parts.mapStore.holds(this.#extents)) this.#issue();
    else this.#parts.mapStore.persist(this);
  }

  mapPersisted(error: PortError | null): void {
    if (error === null) {
      this.#issue();
      return;
    }
    this.#withdraw();
    this.#parts.statistics.failed('write');
    this.#parts.intake.acknowledge(this.#piece, error);
    this.#parts.intake.finished();
  }

  remoteReceived(): void {
    this.#remote = 'received';
    this.#advance();
  }

  remoteFinished(error: PortError | null): void {
    const { map, statistics, synchronizer, lineage, link, log } = this.#parts;
    if (error === null) {
      this.#remote = 'ok';
      this.#advance();
      return;
    }
    map.needSync(this.#extents);
    if (this.#command === 'delete' && (error.code === 'EOPNOTSUPP' || error.code === 'ENOTTY')) {
      // A peer that cannot delete gets the range copied instead; until then it lacks the change.
      this.#remote = 'absent';
      synchronizer.marked(this.#extents);
      this.#advance();
      return;
    }
    this.#remote = 'failed';
    statistics.remoteErrors++;
    if (this.#acknowledged && !lineage.separated) this.#separate();
    if (error.code !== 'ENOTCONN') {
      log.write('error', `Remote request failed (${error.message}): ${this.#describe()}.`);
      link.peerFault(error);
    }
    this.#advance();
  }

  /** An acknowledged write was lost on its way to the peer: the counters must tell, at once (W4). */
  #separate(): void {
    this.#separating = true;
    this.#parts.lineage.separate(() => {
      this.#separating = false;
      this.#settle();
    });
  }

  #issue(): void {
    const { config, link, truth, map, localOrder, intake } = this.#parts;
    const session = link.session;
    if (session === null && truth.outOfDate) {
      this.#withdraw();
      intake.hold(this.#piece);
      return;
    }
    this.#mode =
      config.replication === 'memsync' && (session?.version ?? 0) < 2 ? 'fullsync' : config.replication;
    if (session === null) {
      this.#remote = 'absent';
      map.needSync(this.#extents);
    } else {
      const { offset, length } = this;
      const memsync = this.#mode === 'memsync' && this.#command === 'write';
      // Once acknowledged, the buffer is the device's again; in async mode that may be before it was sent.
      const copy = this.#mode === 'async';
      session.request(
        { command: this.#command, offset, length, data: this.#piece.data, memsync, copy },
        this,
      );
    }
    localOrder.acquire(this.#localTurn);
  }

  readonly #localFinished = (error: PortError | null): void => {
    const { statistics, localOrder, log } = this.#parts;
    statistics.localQueue--;
    this.#local = error === null ? 'ok' : 'failed';
    if (error === null) {
      localOrder.release(this.#localTurn);
    } else {
      // Writes behind it wait until its bytes are known to be bad: else they could not mend them (W18).
      this.#error = error;
      statistics.failed(this.#command);
      log.write('error', `Local request failed (${error.message}): ${this.#describe()}.`);
    }
    this.#advance();
  };

  #advance(): void {
    const { truth, map } = this.#parts;
    if (!this.#acknowledging) {
      const verdict = mayAcknowledge(
        // DELETE has no early acknowledgement in any mode (core/spec/replication.md section 6.4).
        this.#command === 'delete' ? 'fullsync' : this.#mode,
        this.#local,
        this.#remote,
        truth.outOfDate,
      );
      if (verdict === 'success') this.#succeed();
      else if (verdict === 'failure') {
        // Either node may have any part of it (I30).
        map.needSync(this.#extents);
        this.#acknowledge(this.#error ?? PEER_LACKS_IT);
      }
    }
    this.#settle();
  }

  /** The promise holds; what it takes to hold after a crash, too, is made durable first. */
  #succeed(): void {
    const { truth } = this.#parts;
    this.#acknowledging = true;
    if (this.#local === 'failed') this.#localCopyIsBad();
    else if (truth.isMarked(this)) truth.localWritten(this, this.#truthStored);
    else this.#truthStored(null);
  }

  /** Not before the peer has flushed: one that loses its power may come back with older data than there is here. */
  #localCopyIsBad(): void {
    this.#parts.flusher.flushPeer(this.#onlyCopyFlushed);
  }

  readonly #onlyCopyFlushed = (error: PortError | null): void => {
    const { map, truth, synchronizer } = this.#parts;
    if (error !== null) {
      map.needSync(this.#extents);
      this.#promiseStored(error);
      return;
    }
    truth.localFailed(this, this.#promiseStored);
    synchronizer.markedBad(this.#extents);
  };

  readonly #truthStored = (error: PortError | null): void => {
    const { lineage, truth, flusher } = this.#parts;
    const lonely = this.#remote === 'failed' || this.#remote === 'absent';
    if (error !== null) this.#promiseStored(error);
    else if (truth.outOfDate && lonely) this.#promiseStored(PEER_LACKS_IT);
    else if (truth.outOfDate) flusher.flushPeer(this.#promiseStored);
    // A count that is being stored tells of acknowledged writes: nothing more is acknowledged before it is (W4).
    else if (lineage.storing || (lonely && !lineage.separated)) lineage.separate(this.#promiseStored);
    else this.#promiseStored(null);
  };

  readonly #promiseStored = (error: PortError | null): void => {
    this.#acknowledge(error);
    this.#settle();
  };

  #acknowledge(error: PortError | null): void {
    this.#acknowledging = true;
    this.#acknowledged = true;
    this.#parts.intake.acknowledge(this.#piece, error);
  }

  #settle(): void {
    const { map, ranges, localOrder, flusher, intake } = this.#parts;
    const ended = this.#local !== 'pending' && this.#remote !== 'pending' && this.#remote !== 'received';
    if (!ended || !this.#acknowledged || this.#separating || this.#finished) return;
    this.#finished = true;
    map.writeFinished(this.#extents);
    localOrder.release(this.#localTurn);
    ranges.release(this);
    flusher.written();
    intake.finished();
  }

  #withdraw(): void {
    this.#parts.map.writeWithdrawn(this.#extents);
    this.#parts.ranges.release(this);
  }

  #describe(): string {
    return describeRequest({ command: this.#command, offset: this.offset, length: this.length });
  }
}
