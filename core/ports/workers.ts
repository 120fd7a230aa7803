import type { ResourceConfig } from '../config/types.js';
import type { ResourceEvent, WorkerStatus } from '../resource/types.js';
import type { DetachedSocket } from './network.js';

/** Worker processes, one per active resource, as the main daemon sees them. */
export interface Workers {
  start(assignment: Assignment, handler: WorkerHandler): Worker;
}

/** What a worker is started for. Plain data: it crosses a process boundary. */
export type Assignment =
  | {
      readonly role: 'primary';
      readonly resource: ResourceConfig;
      /** `hastctl role -f primary` (W8): serve even an incomplete copy. */
      readonly force: boolean;
      /** A worker that offered the device has died: this one takes over its clients. */
      readonly recovers: boolean;
    }
  | {
      readonly role: 'secondary';
      readonly resource: ResourceConfig;
      /** Negotiated in handshake 1. */
      readonly version: number;
      /** The nv list of handshake 2, as received on connection B. */
      readonly handshake: Uint8Array;
      /** Connection A (requests) and B (replies), with every byte read beyond the handshake messages. */
      readonly connA: DetachedSocket;
      readonly connB: DetachedSocket;
    };

export interface Worker {
  /** Process id, for status and log; 0 while it is not known. */
  readonly pid: number;
  /** Asks for the worker's status; an error when it cannot answer. */
  status(done: (error: string | null, status: WorkerStatus | null) => void): void;
  /** New effective values for a primary (live reload, core/spec/config.md section 7). */
  reload(resource: ResourceConfig): void;
  /** A client of the device that connected to the export's listening socket (nothing was read from it). */
  attach(client: DetachedSocket): void;
  /** Orderly end (TERM): drain, flush, exit 0. */
  stop(): void;
  /** Ends it at once (KILL). */
  kill(): void;
}

export interface WorkerHandler {
  event(event: ResourceEvent): void;
  /** A primary offers its device: clients may be accepted for `provider`. */
  exported(provider: string): void;
  /** Exactly one of `code`, `signal` is not null. */
  exited(code: number | null, signal: string | null): void;
}

/** The main daemon as a worker sees it. */
export interface Parent {
  event(event: ResourceEvent): void;
  exported(): void;
  /** Ends the worker process with `code`; nothing of the worker runs afterwards. */
  exit(code: number): void;
}
