import type { IoCommand } from '../wire/request-messages.js';
import type { WorkerStatus } from './types.js';

/** A worker's counters since its start, as `status` reports them (core/spec/control.md section 5). */
export class Statistics {
  readonly #requests: Record<IoCommand, number> = { read: 0, write: 0, delete: 0, flush: 0 };
  readonly #errors: Record<IoCommand, number> = { read: 0, write: 0, delete: 0, flush: 0 };
  /** Requests that failed on the peer, or were lost with the session (W19). */
  remoteErrors = 0;
  /** Local disk operations under way. */
  localQueue = 0;

  /** A request came in. */
  requested(command: IoCommand): void {
    this.#requests[command]++;
  }

  /** It failed on the local component. */
  failed(command: IoCommand): void {
    this.#errors[command]++;
  }

  counts(): Pick<
    WorkerStatus,
    | 'reads'
    | 'writes'
    | 'deletes'
    | 'flushes'
    | 'readErrors'
    | 'writeErrors'
    | 'deleteErrors'
    | 'flushErrors'
    | 'remoteErrors'
    | 'localQueue'
  > {
    return {
      reads: this.#requests.read,
      writes: this.#requests.write,
      deletes: this.#requests.delete,
      flushes: this.#requests.flush,
      readErrors: this.#errors.read,
      writeErrors: this.#errors.write,
      deleteErrors: this.#errors.delete,
      flushErrors: this.#errors.flush,
      remoteErrors: this.remoteErrors,
      localQueue: this.localQueue,
    };
  }
}

/** What a worker reports before it has read its component. */
export const STARTING: WorkerStatus = {
  status: 'degraded',
  dirty: 0,
  extentsize: 0,
  keepdirty: 0,
  ...new Statistics().counts(),
  activemapUpdates: 0,
  idleQueue: 0,
  sendQueue: 0,
  recvQueue: 0,
  doneQueue: 0,
  syncLeft: 0,
  syncRate: 0,
  localCopy: 'complete',
  exported: true,
};
