import { portError, type PortError } from '../ports/error.js';
import type { FlushOutcome } from './flusher.js';
import type { Piece } from './intake.js';
import type { Parts } from './parts.js';

/** Did the FLUSH keep its promise? Both nodes must have flushed, as far as they can and are there (W20). */
function flushResult(outcome: FlushOutcome): PortError | null {
  const { local, remote } = outcome;
  if (local === null) return null;
  // A local component without a cache flush: the peer's flush alone is a promise, nothing at all is none (D8).
  if (local.code === 'EOPNOTSUPP' && remote === 'ok') return null;
  return local.code === 'EOPNOTSUPP' ? portError('EOPNOTSUPP', 'neither node can flush') : local;
}

/**
 * One FLUSH of the application. A peer that fails it is disconnected and everything it may have lost is marked for
 * synchronisation, so the local result is then the truth about the surviving copy. Not so while this copy is out of date:
 * then the peer's is the one that counts, and the FLUSH is held until the peer has done it (W9).
 */
export class FlushRequest {
  readonly #parts: Parts;
  readonly #piece: Piece;

  constructor(parts: Parts, piece: Piece) {
    this.#parts = parts;
    this.#piece = piece;
  }

  start(): void {
    const { link, truth, intake, flusher } = this.#parts;
    if (truth.outOfDate && link.session === null) intake.hold(this.#piece);
    else flusher.flush(this.#flushed);
  }

  readonly #flushed = (outcome: FlushOutcome): void => {
    const { truth, intake } = this.#parts;
    if (truth.outOfDate && (outcome.remote === 'failed' || outcome.remote === 'absent')) {
      intake.hold(this.#piece);
      return;
    }
    intake.acknowledge(this.#piece, flushResult(outcome));
    intake.finished();
  };
}
