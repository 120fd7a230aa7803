import { portError, type PortError } from '../ports/error.js';
import type { FlushOutcome } from './flusher.js';
import type { Piece } from './intake.js';
import type { Parts } from './parts.js';

/** Did the FLUSH keep its promise? Both nodes must have flushed, as far as they can and are there (W20). */
export function flushResult(outcome: FlushOutcome): PortError | null {
  const { local, remote } = outcome;
  if (local === null) return null;
  // A local component without a cache flush: the peer's flush alone is a promise, nothing at all is none (D8).
  if (local.code === 'EOPNOTSUPP' && remote === 'ok') return null;
  return local.code === 'EOPNOTSUPP' ? portError('EOPNOTSUPP', 'neither node can flush') : local;
}

/**
 * One FLUSH of the application. A peer that fails it is disconnected and everything it may have lost is marked for
 * synchronisation, so the local result is then the truth about the surviving copy.
 */
export class FlushRequest {
  readonly #parts: Parts;
  readonly #piece: Piece;

  constructor(parts: Parts, piece: Piece) {
    this.#parts = parts;
    this.#piece = piece;
  }

  start(): void {
    this.#parts.flusher.flush((outcome) => {
      this.#parts.intake.acknowledge(this.#piece, flushResult(outcome));
      this.#parts.intake.finished();
    });
  }
}
