import type { Activemap } from '../activemap/activemap.js';
import type { MapStore } from '../activemap/map-store.js';
import type { ResourceConfig } from '../config/types.js';
import type { MetadataStore } from '../metadata/store.js';
import type { Clock } from '../ports/clock.js';
import type { Disk } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type { RangeHolder, RangeLocks } from '../request/range-locks.js';
import type { ResourceEvent } from '../resource/types.js';
import type { Flusher } from './flusher.js';
import type { Intake } from './intake.js';
import type { LineageKeeper } from './lineage-keeper.js';
import type { Link } from './link.js';
import type { Synchronizer } from './synchronizer.js';
import type { Truth } from './truth.js';

/** Who wants a range of the device: application writes share, a synchronisation chunk wants it alone. */
export interface DeviceRange extends RangeHolder {
  readonly kind: 'write' | 'chunk';
}

export interface Statistics {
  reads: number;
  writes: number;
  deletes: number;
  flushes: number;
  readErrors: number;
  writeErrors: number;
  deleteErrors: number;
  flushErrors: number;
  remoteErrors: number;
  /** Local disk operations under way. */
  localQueue: number;
}

/** What the parts of a primary know of each other; `Primary` puts them together. */
export interface Parts {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
  /** Effective values, replaced by a live reload. */
  config: ResourceConfig;
  /** Where the user data begins on the component, bytes. */
  readonly localoff: number;
  /** Longest READ or WRITE sent to the peer, bytes. */
  readonly maxRequestBytes: number;
  readonly metadata: MetadataStore;
  readonly map: Activemap;
  readonly mapStore: MapStore;
  /** Application writes against synchronisation chunks. */
  readonly ranges: RangeLocks<DeviceRange>;
  /** Overlapping local writes happen in the order in which they were sent to the peer (I21). */
  readonly localOrder: RangeLocks<RangeHolder>;
  readonly lineage: LineageKeeper;
  readonly truth: Truth;
  readonly flusher: Flusher;
  readonly link: Link;
  readonly synchronizer: Synchronizer;
  readonly intake: Intake;
  readonly statistics: Statistics;
  event(event: ResourceEvent): void;
}
