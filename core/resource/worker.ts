import type { Turns } from '../base/turns.js';
import type { ResourceConfig } from '../config/types.js';
import type { Clock } from '../ports/clock.js';
import type { Codecs } from '../ports/codecs.js';
import type { Devices } from '../ports/device.js';
import type { Disk } from '../ports/disk.js';
import type { Entropy } from '../ports/entropy.js';
import type { Log } from '../ports/log.js';
import type { DetachedSocket, Network } from '../ports/network.js';
import type { Parent } from '../ports/workers.js';
import { Primary } from '../primary/primary.js';
import { Secondary } from '../secondary/secondary.js';
import type { WorkerStatus } from './types.js';

/** What a worker stands on. The disk is open and locked; the worker owns it from now on. */
export interface WorkerPorts {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
  readonly codecs: Codecs;
  readonly log: Log;
  readonly parent: Parent;
}

export interface PrimaryPorts extends WorkerPorts {
  readonly entropy: Entropy;
  readonly devices: Devices;
}

export interface PrimaryOptions {
  /** Serve even a copy that is incomplete (W8). */
  readonly force: boolean;
  /** Longest READ or WRITE the core works on, bytes; longer device requests are split. */
  readonly maxRequestBytes: number;
}

/** M of the specification: what every peer accepts. */
export const DEFAULT_MAX_REQUEST_BYTES = 131_072;

/** A session that a primary has opened: handshake 1 is done, handshake 2 received and not yet answered. */
export interface SecondarySession {
  /** Negotiated protocol version. */
  readonly version: number;
  /** The nv list of handshake 2. */
  readonly handshake: Uint8Array;
  readonly connA: DetachedSocket;
  readonly connB: DetachedSocket;
}

/** The worker of one resource, as its process sees it. It ends through `Parent.exit`. */
export interface ResourceWorker {
  status(): WorkerStatus;
  reload(resource: ResourceConfig): void;
  /** Orderly end: drain, flush, exit 0. */
  stop(): void;
}

export function startPrimary(
  ports: PrimaryPorts,
  resource: ResourceConfig,
  options: PrimaryOptions,
): ResourceWorker {
  return new Primary(ports, resource, options);
}

export function startSecondary(
  ports: WorkerPorts,
  resource: ResourceConfig,
  session: SecondarySession,
): ResourceWorker {
  return new Secondary(ports, resource, session);
}
