import { BufferPool } from '../base/buffer-pool.js';
import type { Timer } from '../ports/clock.js';
import type { Parts } from './parts.js';
import { rateAllowed, SyncPace } from './sync-pace.js';
import { SyncWindow } from './sync-window.js';

/** Chunks in flight, of the longest length: all that is ever allowed, at the beginning, and always. */
const MOST_CHUNKS = 64;
const FIRST_CHUNKS = 8;
const LEAST_CHUNKS = 2;
/** An application that asked for something so long ago is not busy any more. */
const BUSY_MS = 200;

/** A chunk's place in the flow. */
export interface Slot {
  readonly buffer: Uint8Array;
  readonly bytes: number;
  readonly startedMs: number;
  /** That of the session in which it began (W11). */
  readonly window: SyncWindow;
}

/**
 * When the next chunk may start: when the window of the session has room and the rate allows it, which is low while an application
 * is busy (core/spec/replication.md section 15.1). Lends chunks their buffers.
 */
export class ChunkFlow {
  readonly #parts: Parts;
  readonly #ready: () => void;
  #buffers = new BufferPool();
  #window: SyncWindow;
  #pace = new SyncPace();
  #timer: Timer | null = null;

  /** `ready` is called when a chunk may start that had to wait for the rate. */
  constructor(parts: Parts, ready: () => void) {
    this.#parts = parts;
    this.#ready = ready;
    this.#window = this.#newWindow();
  }

  /** Another session: nothing is known about the way to the peer, and nothing is in flight on it. */
  restart(): void {
    this.#window = this.#newWindow();
    this.#pace = new SyncPace();
    this.pause();
  }

  /** `ready` is not called any more. */
  pause(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** There is nothing to copy any more. */
  freeBuffers(): void {
    this.#buffers = new BufferPool();
  }

  /** May a chunk start now? If only the rate forbids it, `ready` will be called. */
  get isOpen(): boolean {
    const window = this.#window;
    if (window.inFlightBytes + this.#parts.maxRequestBytes > window.bytes) return false;
    const delayMs = this.#pace.delayMs(this.#rate, this.#parts.clock.now());
    if (delayMs <= 0) return true;
    window.heldUp();
    this.#timer ??= this.#parts.clock.after(delayMs, () => {
      this.#timer = null;
      this.#ready();
    });
    return false;
  }

  started(bytes: number): Slot {
    const startedMs = this.#parts.clock.now();
    this.#pace.started(bytes, this.#rate, startedMs);
    this.#window.started(bytes, startedMs);
    const buffer = this.#buffers.take(this.#parts.maxRequestBytes);
    return { buffer, bytes, startedMs, window: this.#window };
  }

  finished({ buffer, bytes, startedMs, window }: Slot, succeeded: boolean): void {
    this.#buffers.give(buffer);
    const now = this.#parts.clock.now();
    window.finished(bytes, succeeded ? now - startedMs : null, now);
  }

  /** Bytes per millisecond. */
  get #rate(): number {
    const { config, intake } = this.#parts;
    const yields = intake.isBusy(BUSY_MS) && !this.#window.isProbing;
    return rateAllowed(config.syncrate, this.#window.freeRate, yields);
  }

  #newWindow(): SyncWindow {
    const { clock, maxRequestBytes } = this.#parts;
    const bounds = {
      chunkBytes: maxRequestBytes,
      leastBytes: LEAST_CHUNKS * maxRequestBytes,
      firstBytes: FIRST_CHUNKS * maxRequestBytes,
      mostBytes: MOST_CHUNKS * maxRequestBytes,
    };
    return new SyncWindow(bounds, clock.now());
  }
}
