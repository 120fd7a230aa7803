import { Activemap } from '../activemap/activemap.js';
import { MapStore } from '../activemap/map-store.js';
import type { ResourceConfig } from '../config/types.js';
import type { MetadataStore } from '../metadata/store.js';
import type { Clock } from '../ports/clock.js';
import type { Disk } from '../ports/disk.js';
import type { Log } from '../ports/log.js';
import type { Parent } from '../ports/workers.js';
import { RangeLocks, type RangeHolder } from '../request/range-locks.js';
import type { Component } from '../resource/component.js';
import { Statistics } from '../resource/statistics.js';
import type { ResourceEvent } from '../resource/types.js';
import type { PrimaryOptions, PrimaryPorts } from '../resource/worker.js';
import { Flusher } from './flusher.js';
import { Intake, type IntakeOwner } from './intake.js';
import { LineageKeeper } from './lineage-keeper.js';
import { Link, type LinkOwner } from './link.js';
import { Synchronizer } from './synchronizer.js';
import { Truth } from './truth.js';

/** Who wants a range of the device: application writes share it, a synchronisation chunk wants it alone. */
export interface DeviceRange extends RangeHolder {
  readonly kind: 'write' | 'chunk';
}

/** The parts of a primary, which work on each other's behalf, and what they share. */
export class Parts {
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
  readonly ranges = new RangeLocks<DeviceRange>((a, b) => a.kind === 'chunk' || b.kind === 'chunk');
  /** Overlapping local writes happen in the order in which they were sent to the peer (I21). */
  readonly localOrder = new RangeLocks<RangeHolder>(() => true);
  readonly lineage: LineageKeeper;
  readonly truth: Truth;
  readonly flusher: Flusher;
  readonly synchronizer: Synchronizer;
  readonly intake: Intake;
  readonly link: Link;
  readonly statistics = new Statistics();
  readonly #parent: Parent;

  constructor(
    ports: PrimaryPorts,
    config: ResourceConfig,
    options: PrimaryOptions,
    stored: { component: Component; metadata: MetadataStore },
    owner: IntakeOwner & LinkOwner,
  ) {
    const { component, metadata } = stored;
    const { datasize, extentsize, keepdirty, localoff } = metadata.current;
    this.clock = ports.clock;
    this.disk = ports.disk;
    this.log = ports.log;
    this.config = config;
    this.localoff = localoff;
    this.maxRequestBytes = options.maxRequestBytes;
    this.metadata = metadata;
    this.map = new Activemap({ datasize, extentsize, keepdirty, mapBytes: component.bits.length });
    this.map.merge(component.bits);
    this.mapStore = new MapStore(ports, this.map, {
      durable: component.durableBits,
      metaflush: config.metaflush,
    });
    this.lineage = new LineageKeeper(metadata, ports.entropy, ports.log);
    this.truth = new Truth(this.map, metadata);
    this.flusher = new Flusher(this);
    this.synchronizer = new Synchronizer(this);
    this.intake = new Intake(this, owner);
    this.link = new Link(this, ports, owner);
    this.#parent = ports.parent;
  }

  /** Tells the main daemon. */
  event(event: ResourceEvent): void {
    this.#parent.event(event);
  }
}
