import { assert } from '../base/assert.js';
import { portError, type PortError } from '../ports/error.js';
import { describeRequest } from '../request/describe.js';
import type { Piece } from './intake.js';
import type { Parts } from './parts.js';
import type { RemoteLegOwner } from './session.js';

/**
 * One READ on the primary. Served here unless the newest data of the range is on the peer (chosen per read and extent, W27,
 * W28); a local error is served by the peer, if it has everything, and written back (W40). While a read depends on a peer that is away it is held.
 */
export class ReadRequest implements RemoteLegOwner {
  readonly #parts: Parts;
  readonly #piece: Piece;
  readonly #data: Uint8Array;
  #localError: PortError | null = null;
  /** The peer, whose data is newer otherwise, never got these bytes (W18). */
  #isNewestHere = false;

  constructor(parts: Parts, piece: Piece) {
    this.#parts = parts;
    this.#piece = piece;
    assert(piece.data !== null, 'a READ has a buffer');
    this.#data = piece.data;
  }

  start(): void {
    const { disk, localoff, statistics, truth, intake } = this.#parts;
    switch (truth.of(this.#piece)) {
      case 'peer':
        this.#readRemotely();
        return;
      case 'both':
        intake.divide(this.#piece, truth.split(this.#piece));
        return;
      case 'here':
        statistics.localQueue++;
        disk.read(localoff + this.#piece.offset, this.#data, this.#localFinished);
    }
  }

  remoteReceived(): void {
    // Only WRITEs are answered twice.
  }

  remoteFinished(error: PortError | null): void {
    const { statistics, synchronizer } = this.#parts;
    if (error === null) {
      if (this.#localError !== null) synchronizer.repair(this.#piece);
      this.#finish(null);
      return;
    }
    if (error.code === 'ESTALE' && this.#localError === null && !this.#parts.truth.isMarked(this.#piece)) {
      this.#readNewestHere();
      return;
    }
    statistics.remoteErrors++;
    if (this.#localError !== null) this.#finish(this.#localError);
    else if (error.code === 'ENOTCONN') this.#parts.intake.hold(this.#piece);
    else this.#finish(portError('EIO', error.message));
  }

  /** Sector by sector, since others of the range may be newer there. */
  #readNewestHere(): void {
    const { disk, localoff, statistics, intake } = this.#parts;
    const { offset, length } = this.#piece;
    if (length > disk.sectorSize) {
      const sectors = Array.from({ length: length / disk.sectorSize }, (_, sector) => ({
        offset: offset + sector * disk.sectorSize,
        length: disk.sectorSize,
      }));
      intake.divide(this.#piece, sectors);
      return;
    }
    this.#isNewestHere = true;
    statistics.localQueue++;
    disk.read(localoff + offset, this.#data, this.#localFinished);
  }

  readonly #localFinished = (error: PortError | null): void => {
    const { statistics, link, log, map, truth } = this.#parts;
    statistics.localQueue--;
    if (error === null) {
      // A write may have failed here, or a verdict arrived, while the disk was reading.
      if (this.#isNewestHere || truth.of(this.#piece) === 'here') this.#finish(null);
      else this.start();
      return;
    }
    statistics.failed('read');
    const { offset, length } = this.#piece;
    const request = describeRequest({ command: 'read', offset, length });
    log.write('error', `Local request failed (${error.message}): ${request}.`);
    this.#localError = portError('EIO', error.message);
    // A peer that still lacks writes of the extent has no answer either.
    const extents = map.rangeOf(offset, length);
    if (link.session === null || map.needsSyncIn(extents)) this.#finish(this.#localError);
    else this.#readRemotely();
  };

  #readRemotely(): void {
    const { link, intake } = this.#parts;
    const { offset, length } = this.#piece;
    if (link.session === null) intake.hold(this.#piece);
    else
      link.session.request(
        { command: 'read', offset, length, data: this.#data, memsync: false, copy: false },
        this,
      );
  }

  #finish(error: PortError | null): void {
    this.#parts.intake.acknowledge(this.#piece, error);
    this.#parts.intake.finished();
  }
}
