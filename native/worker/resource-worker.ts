/** The core of one resource as its worker process sees it. */
import type { Turns } from '../../core/base/turns.js';
import type { ResourceConfig } from '../../core/config/types.js';
import type { Clock } from '../../core/ports/clock.js';
import type { Codecs } from '../../core/ports/codecs.js';
import type { Devices } from '../../core/ports/device.js';
import type { Disk } from '../../core/ports/disk.js';
import type { Entropy } from '../../core/ports/entropy.js';
import type { Log } from '../../core/ports/log.js';
import type { DetachedSocket, Network } from '../../core/ports/network.js';
import type { Parent } from '../../core/ports/workers.js';
import type { WorkerStatus } from '../../core/resource/types.js';

export interface ResourceWorker {
  status(): WorkerStatus;
  reload(resource: ResourceConfig): void;
  stop(): void;
}

export interface WorkerPorts {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
  readonly entropy: Entropy;
  readonly codecs: Codecs;
  readonly log: Log;
  readonly devices: Devices;
  readonly parent: Parent;
}

export interface PrimaryOptions {
  readonly force: boolean;
  readonly maxRequest: number;
}

export interface SecondaryOptions {
  readonly version: number;
  readonly handshake: Uint8Array;
  readonly connA: DetachedSocket;
  readonly connB: DetachedSocket;
}
