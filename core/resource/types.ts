/** Nouns that main daemon, workers and control protocol share. */
export type Role = 'init' | 'primary' | 'secondary';

/** What a worker reports to the main daemon, which runs the `exec` hook with it. */
export type ResourceEvent = (typeof RESOURCE_EVENTS)[number];

export const RESOURCE_EVENTS = [
  'connect',
  'disconnect',
  'syncstart',
  'syncdone',
  'syncintr',
  'split-brain',
  /** Ours (W31): the peer acts as primary too. */
  'dual-primary',
  /** Ours (W31): resource id, size or extent size of the peer differ. */
  'mismatch',
] as const;

/** Part 2 of a STATUS reply (core/spec/control.md section 5); numbers are counts unless a unit is named. */
export interface WorkerStatus {
  readonly status: 'complete' | 'degraded';
  /** Bytes. */
  readonly dirty: number;
  /** Bytes. */
  readonly extentsize: number;
  readonly keepdirty: number;
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
  readonly flushes: number;
  readonly activemapUpdates: number;
  readonly readErrors: number;
  readonly writeErrors: number;
  readonly deleteErrors: number;
  readonly flushErrors: number;
  readonly idleQueue: number;
  readonly localQueue: number;
  readonly sendQueue: number;
  readonly recvQueue: number;
  readonly doneQueue: number;
  /** Ours (W19): requests that failed on the peer or were lost with a connection. */
  readonly remoteErrors: number;
  /** Ours: what a synchronisation under way has still to copy, bytes, and its rate, bytes per second; else 0. */
  readonly syncLeft: number;
  readonly syncRate: number;
  /** Ours (W8): 'incomplete' while this node's copy may not be used alone. */
  readonly localCopy: 'complete' | 'incomplete';
  /** Ours (W8): false while a primary waits for its source and offers no device. */
  readonly exported: boolean;
}

/** Worker exit codes (core/spec/cli.md section 10). */
export const EXIT_OK = 0;
export const EXIT_NOINPUT = 66;
export const EXIT_OSERR = 71;
export const EXIT_TEMPFAIL = 75;
export const EXIT_CONFIG = 78;
