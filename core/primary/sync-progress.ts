import { formatBytes, formatDuration } from '../base/human.js';
import type { Parts } from './parts.js';

/** A synchronisation that takes long says so often how far it is. */
const REPORT_EVERY_MS = 60_000;
/** What the rate of the moment is taken from. */
const RATE_OVER_MS = 5_000;

/** Where a synchronisation stands: bytes, and bytes per second of the last seconds. */
export interface SyncStanding {
  readonly leftBytes: number;
  readonly bytesPerS: number;
}

/** What is told about a synchronisation under way: at its beginning, now and then, at its end, and to who asks. */
export class SyncProgress {
  readonly #parts: Parts;
  #startedAtMs = 0;
  #copiedBytes = 0;
  #reportedAtMs = 0;
  /** The rate is that since the earlier of the last two samples. */
  #samples: readonly [Sample, Sample] = [NO_SAMPLE, NO_SAMPLE];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  started(): void {
    const now = this.#parts.clock.now();
    this.#startedAtMs = this.#reportedAtMs = now;
    this.#copiedBytes = 0;
    const sample = { atMs: now, bytes: 0 };
    this.#samples = [sample, sample];
    this.#log(`Synchronization started. ${formatBytes(this.#bytesToGo())} to go.`);
  }

  copied(bytes: number): void {
    this.#copiedBytes += bytes;
    const now = this.#parts.clock.now();
    const [, last] = this.#samples;
    if (now - last.atMs >= RATE_OVER_MS) this.#samples = [last, { atMs: now, bytes: this.#copiedBytes }];
    if (now - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#reportedAtMs = now;
    const { leftBytes, bytesPerS } = this.standing();
    const rate = formatBytes(bytesPerS);
    const left = bytesPerS > 0 ? ` ${formatDuration((leftBytes / bytesPerS) * 1000)} left.` : '';
    this.#log(`Synchronization: ${formatBytes(leftBytes)} to go (${rate}/sec).${left}`);
  }

  standing(): SyncStanding {
    const [since] = this.#samples;
    const elapsedMs = this.#parts.clock.now() - since.atMs;
    const bytesPerS = elapsedMs > 0 ? ((this.#copiedBytes - since.bytes) / elapsedMs) * 1000 : 0;
    return { leftBytes: this.#bytesToGo(), bytesPerS: Math.floor(bytesPerS) };
  }

  interrupted(): void {
    const duration = formatDuration(this.#elapsedMs());
    const copied = formatBytes(this.#copiedBytes);
    this.#log(`Synchronization interrupted after ${duration}. ${copied} synchronized so far.`);
  }

  complete(): void {
    const elapsedMs = this.#elapsedMs();
    const rate = formatBytes(Math.floor(this.#copiedBytes / Math.max(1, Math.floor(elapsedMs / 1000))));
    const copied = formatBytes(this.#copiedBytes);
    const duration = formatDuration(elapsedMs);
    this.#log(`Synchronization complete. ${copied} synchronized in ${duration} (${rate}/sec).`);
  }

  #elapsedMs(): number {
    return this.#parts.clock.now() - this.#startedAtMs;
  }

  #bytesToGo(): number {
    const { map } = this.#parts;
    return map.syncCount * map.extentsize;
  }

  #log(text: string): void {
    this.#parts.log.write('info', text);
  }
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

const NO_SAMPLE: Sample = { atMs: 0, bytes: 0 };
