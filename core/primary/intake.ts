import type { ByteRange } from '../base/range-set.js';
import { portError, type PortError } from '../ports/error.js';
import type { DeviceRequest } from '../ports/device.js';
import { logRequest } from '../request/describe.js';
import { FlushRequest } from './flush-request.js';
import type { Parts } from './parts.js';
import { ReadRequest } from './read-request.js';
import { WriteRequest } from './write-request.js';

/** Requests in progress at once; also how far async may be ahead of the peer (I5). */
const MAX_REQUESTS = 256;
/** A DELETE carries no data but takes the disk time; longer ones are cut. */
const MAX_DELETE_BYTES = 64 * 1024 * 1024;

/** One device request, cut into pieces the core works on; the device hears of it once, when all pieces are done. */
class Submission {
  readonly request: DeviceRequest;
  readonly submittedAt: number;
  remaining = 0;
  error: PortError | null = null;

  constructor(request: DeviceRequest, submittedAt: number) {
    this.request = request;
    this.submittedAt = submittedAt;
  }
}

export interface Piece {
  readonly submission: Submission;
  readonly offset: number;
  readonly length: number;
  /** The piece's part of the device's buffer. */
  readonly data: Uint8Array | null;
}

export interface IntakeOwner {
  answered(requestId: number, error: PortError | null): void;
  /** No request is in progress any more. */
  drained(): void;
}

/**
 * Where device requests come in: cut into pieces of the wire's size, admitted while slots are free, in order. Requests that
 * depend on a peer that is away are held up to the timeout, then fail with EIO (W9); nothing else waits for them.
 */
export class Intake {
  readonly #parts: Parts;
  readonly #owner: IntakeOwner;
  #waiting: Piece[] = [];
  #held: Piece[] = [];
  #busy = 0;
  #open = false;
  #pumping = false;
  #holdTimerSet = false;
  #askedAtMs = -Infinity;

  constructor(parts: Parts, owner: IntakeOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  /** Slots not in use. One is counted as the receiver's, as the reference does. */
  get idle(): number {
    return MAX_REQUESTS - 1 - Math.min(this.#busy, MAX_REQUESTS - 1);
  }

  get busy(): number {
    return this.#busy;
  }

  /** Something is in progress, or was asked for less than so long ago. */
  isBusy(withinMs: number): boolean {
    return this.#busy > 0 || this.#parts.clock.now() - this.#askedAtMs < withinMs;
  }

  /** Requests are worked on from now on; those already submitted first. */
  open(): void {
    this.#open = true;
    this.#pump();
  }

  /** Nothing new is started. */
  close(): void {
    this.#open = false;
    if (this.#busy === 0) this.#owner.drained();
  }

  submit(request: DeviceRequest): void {
    this.#askedAtMs = this.#parts.clock.now();
    const submission = new Submission(request, this.#askedAtMs);
    const { statistics, maxRequestBytes, log } = this.#parts;
    statistics.requested(request.command);
    logRequest(log, request);
    const limit = request.command === 'delete' ? MAX_DELETE_BYTES : maxRequestBytes;
    let offset = 0;
    do {
      const length = Math.min(limit, request.length - offset);
      const whole = length === request.length;
      const data = whole ? request.data : (request.data?.subarray(offset, offset + length) ?? null);
      this.#waiting.push({ submission, offset: request.offset + offset, length, data });
      submission.remaining++;
      offset += length;
    } while (offset < request.length);
    this.#pump();
  }

  /** The application may be told about this piece; its slot stays taken until `finished`. */
  acknowledge(piece: Piece, error: PortError | null): void {
    const { submission } = piece;
    submission.error ??= error;
    submission.remaining--;
    if (submission.remaining === 0) this.#owner.answered(submission.request.id, submission.error);
  }

  /** Nothing of the piece is in progress any more. */
  finished(): void {
    this.#busy--;
    this.#pump();
    if (this.#busy === 0 && !this.#open) this.#owner.drained();
  }

  /** The piece cannot be served now: it needs the peer. Gives its slot back. */
  hold(piece: Piece): void {
    this.#held.push(piece);
    this.#armHoldTimer();
    this.finished();
  }

  /** The piece is to be served in parts, next. Gives its slot back. */
  divide(piece: Piece, ranges: readonly ByteRange[]): void {
    const { submission, data, offset: start } = piece;
    submission.remaining += ranges.length - 1;
    const parts = ranges.map(({ offset, length }) => {
      return {
        submission,
        offset,
        length,
        data: data?.subarray(offset - start, offset - start + length) ?? null,
      };
    });
    this.#waiting = [...parts, ...this.#waiting];
    this.finished();
  }

  /** The peer is back (or it turned out that nothing depends on it): held pieces go first. */
  resume(): void {
    this.#waiting = [...this.#held, ...this.#waiting];
    this.#held = [];
    this.#pump();
  }

  #pump(): void {
    // What is held or divided at once gives its slot back inside `start`.
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#open && this.#busy < MAX_REQUESTS) {
      const piece = this.#waiting.shift();
      if (piece === undefined) break;
      this.#busy++;
      this.#start(piece);
    }
    this.#pumping = false;
  }

  #start(piece: Piece): void {
    switch (piece.submission.request.command) {
      case 'read':
        new ReadRequest(this.#parts, piece).start();
        return;
      case 'write':
        new WriteRequest(this.#parts, piece, 'write').start();
        return;
      case 'delete':
        new WriteRequest(this.#parts, piece, 'delete').start();
        return;
      case 'flush':
        new FlushRequest(this.#parts, piece).start();
    }
  }

  #armHoldTimer(): void {
    const [first] = this.#held;
    if (first === undefined || this.#holdTimerSet) return;
    this.#holdTimerSet = true;
    const delayMs = Math.ceil(this.#overdueAt(first) - this.#parts.clock.now());
    this.#parts.clock.after(Math.max(0, delayMs), () => {
      this.#holdTimerSet = false;
      this.#failOverdue();
      this.#armHoldTimer();
    });
  }

  #overdueAt(piece: Piece): number {
    return piece.submission.submittedAt + this.#parts.config.timeout * 1000;
  }

  #failOverdue(): void {
    const now = this.#parts.clock.now();
    const overdue = this.#held.filter((piece) => this.#overdueAt(piece) <= now);
    this.#held = this.#held.filter((piece) => this.#overdueAt(piece) > now);
    for (const piece of overdue) {
      this.acknowledge(piece, portError('EIO', 'the newest data is on the peer, which is not connected'));
    }
  }
}
