import sinon from 'sinon';
import type { PortError } from '../../core/ports/error.js';
import type { SocketHandler } from '../../core/ports/network.js';

/** A handler of which everything is recorded. */
export class Recorder implements SocketHandler {
  readonly received: number[] = [];
  readonly sentTotals: number[] = [];
  readonly connected = sinon.spy((): void => undefined);
  readonly closed = sinon.spy((_error: PortError | null): void => undefined);
  /** Called after each delivery. */
  afterFilled: () => void = () => undefined;
  readonly #target: Uint8Array;

  constructor(targetLength = 100_000) {
    this.#target = new Uint8Array(targetLength);
  }

  target(): Uint8Array {
    return this.#target;
  }

  filled(bytes: number): void {
    for (const byte of this.#target.subarray(0, bytes)) this.received.push(byte);
    this.afterFilled();
  }

  sent(totalBytes: number): void {
    this.sentTotals.push(totalBytes);
  }
}

/** `length` bytes that count up. */
export function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i & 0xff);
}
