/**
 * What main daemon and worker process say to each other over the channel that Node gives to a child. Both are the same
 * version of the same program, so the shapes are plain structures; a structured clone carries them. Sockets travel
 * beside the message that announces them, and every message arrives in the order it was sent.
 */
import type { ResourceConfig } from '../../core/config/types.js';
import type { ResourceEvent, WorkerStatus } from '../../core/resource/types.js';
import type { UserIds } from '../privileges.js';

/** What the command line of hastd means for its workers. */
export interface WorkerSettings {
  readonly debugLevel: number;
  /** Log to the inherited terminal instead of syslog. */
  readonly foreground: boolean;
  /** Whom to become once the local component is open; null: stay what the main daemon is. */
  readonly user: UserIds | null;
  readonly maxRequestBytes: number;
  /** What a primary offers: a provider of GEOM gate, or an NBD export. */
  readonly device: DeviceKind;
}

export type DeviceKind = 'ggate' | 'nbd';

/** The assignment without its sockets, which came before. */
export type WorkerTask =
  | {
      readonly role: 'primary';
      readonly resource: ResourceConfig;
      readonly force: boolean;
      readonly recovers: boolean;
    }
  | {
      readonly role: 'secondary';
      readonly resource: ResourceConfig;
      readonly version: number;
      readonly handshake: Uint8Array;
    };

export type ToWorker =
  /** Comes with a socket: connection A or B of the peer, before `start`. */
  | { readonly kind: 'connection'; readonly which: 'a' | 'b'; readonly unread: Uint8Array }
  | { readonly kind: 'start'; readonly task: WorkerTask; readonly settings: WorkerSettings }
  /** Comes with a socket: a client of the device. */
  | { readonly kind: 'attach'; readonly unread: Uint8Array }
  | { readonly kind: 'reload'; readonly resource: ResourceConfig }
  | { readonly kind: 'status'; readonly id: number };

export type FromWorker =
  /** The worker listens; what is sent before would be unpacked before anybody looks. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'event'; readonly event: ResourceEvent }
  | { readonly kind: 'exported' }
  | { readonly kind: 'status'; readonly id: number; readonly status: WorkerStatus };
