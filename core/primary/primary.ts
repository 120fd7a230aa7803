import type { ResourceConfig } from '../config/types.js';
import { MetadataStore } from '../metadata/store.js';
import { withChange, type Metadata } from '../metadata/codec.js';
import type { Device, DeviceHandler, DeviceRequest } from '../ports/device.js';
import type { PortError } from '../ports/error.js';
import { STARTING } from '../resource/statistics.js';
import { openComponent, type Component } from '../resource/component.js';
import { EXIT_NOINPUT, EXIT_OK, EXIT_OSERR, type WorkerStatus } from '../resource/types.js';
import type { PrimaryOptions, PrimaryPorts, ResourceWorker } from '../resource/worker.js';
import type { IntakeOwner } from './intake.js';
import { SESSION_DROPPED, type LinkOwner } from './link.js';
import { Parts } from './parts.js';

/**
 * How long a starting primary keeps applications waiting for a peer that does not answer at all: an opening packet that is
 * lost is sent again after 1 s. All of it is part of a fail-over whose old primary has no power.
 */
const FIRST_CONTACT_MS = 1_500;

/** What a stopping primary has to say about a peer that did not finish in time is durable by then. */
const LAST_WORDS_MS = 3_000;

/**
 * The worker of a resource in role primary (core/spec/replication.md section 1.1):
 *
 *   metadata and map read -> device created -> first attempt to reach the peer -> requests served
 *
 * A copy that may not be used alone (W8) gets its device only when its source has connected. While the peer is still
 * primary itself, serving waits for it to step down, up to the timeout.
 */
export class Primary implements ResourceWorker, DeviceHandler, IntakeOwner, LinkOwner {
  readonly #ports: PrimaryPorts;
  readonly #options: PrimaryOptions;
  #config: ResourceConfig;
  #parts: Parts | null = null;
  #device: Device | null = null;
  #serving = false;
  #stopping = false;
  #flushing = false;
  #ended = false;
  readonly #startedAt: number;

  constructor(ports: PrimaryPorts, config: ResourceConfig, options: PrimaryOptions) {
    this.#ports = ports;
    this.#config = config;
    this.#options = options;
    this.#startedAt = ports.clock.now();
    openComponent(ports, config.name, (error, component) => {
      if (component === null) this.#fail(EXIT_NOINPUT, error?.message ?? 'cannot read the local component');
      else this.#opened(component);
    });
  }

  status(): WorkerStatus {
    if (this.#parts === null) return STARTING;
    const { statistics, intake, map, mapStore, link, metadata, synchronizer } = this.#parts;
    const counts = statistics.counts();
    const { incomplete } = metadata.current;
    const { standing } = synchronizer;
    return {
      status: link.session === null ? 'degraded' : 'complete',
      dirty: map.dirtyBytes,
      extentsize: map.extentsize,
      keepdirty: metadata.current.keepdirty,
      reads: counts.reads,
      writes: counts.writes,
      deletes: counts.deletes,
      flushes: counts.flushes,
      activemapUpdates: mapStore.updates,
      readErrors: counts.readErrors,
      writeErrors: counts.writeErrors + mapStore.writeErrors,
      deleteErrors: counts.deleteErrors,
      flushErrors: counts.flushErrors,
      remoteErrors: counts.remoteErrors,
      localQueue: counts.localQueue,
      idleQueue: intake.idle,
      sendQueue: 0,
      doneQueue: 0,
      recvQueue: link.session?.outstanding ?? 0,
      syncLeft: standing?.leftBytes ?? 0,
      syncRate: standing?.bytesPerS ?? 0,
      localCopy: incomplete ? 'incomplete' : 'complete',
      // A worker that has only just started withholds nothing.
      exported: this.#device !== null || !incomplete,
    };
  }

  /** Live reload (core/spec/config.md section 7): new addresses cost the session, the rest applies to later requests. */
  reload(config: ResourceConfig): void {
    const before = this.#config;
    this.#config = config;
    const parts = this.#parts;
    if (parts === null) return;
    parts.config = config;
    parts.mapStore.metaflush = config.metaflush;
    parts.link.session?.reload(config);
    parts.synchronizer.reloaded();
    if (before.remoteaddr === config.remoteaddr && before.sourceaddr === config.sourceaddr) return;
    parts.link.drop(SESSION_DROPPED);
    if (config.remoteaddr !== 'none') parts.link.connect();
  }

  /** Orderly end (W35): nothing new, what is in progress finishes, both nodes flush; the peer has `timeout` seconds for that. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const { clock } = this.#ports;
    const timeoutMs = this.#config.timeout * 1000;
    // The end of the session makes the counters tell what the peer lacks of what was acknowledged (W4).
    clock.after(timeoutMs, () => this.#parts?.link.stop());
    clock.after(timeoutMs + LAST_WORDS_MS, () => {
      this.#close(EXIT_OK);
    });
    if (this.#parts === null) this.#close(EXIT_OK);
    else this.#parts.intake.close();
  }

  submitted(request: DeviceRequest): void {
    if (!this.#stopping) this.#parts?.intake.submit(request);
  }

  gone(error: PortError): void {
    this.#fail(EXIT_OSERR, `Device hast/${this.#config.provname} is gone: ${error.message}`);
  }

  answered(requestId: number, error: PortError | null): void {
    this.#device?.complete(requestId, error);
  }

  drained(): void {
    if (!this.#stopping || this.#flushing) return;
    this.#flushing = true;
    this.#parts?.flusher.flush(() => {
      // What is left says truly what the peer may lack.
      this.#parts?.map.keepNothing();
      this.#parts?.mapStore.persist({
        mapPersisted: () => {
          this.#close(EXIT_OK);
        },
      });
    });
  }

  attempted(outcome: 'connected' | 'failed' | 'wait'): void {
    const waited = this.#ports.clock.now() - this.#startedAt;
    if (outcome === 'wait' && waited < this.#config.timeout * 1000) return;
    this.#serve();
  }

  connected(): void {
    const parts = this.#parts;
    const session = parts?.link.session ?? null;
    if (parts === null || session === null) return;
    if (this.#device === null) this.#createDevice();
    parts.synchronizer.connected(session);
    parts.intake.resume();
  }

  disconnected(): void {
    this.#parts?.synchronizer.interrupted();
  }

  #opened(component: Component): void {
    const metadata = new MetadataStore(this.#ports, withChange(component.metadata, { prevrole: 'primary' }));
    const { resuid, incomplete } = component.metadata;
    if (resuid !== 0n && !(incomplete && this.#options.force)) {
      this.#assemble(component, metadata);
      return;
    }
    // A virgin copy begins with zero counters (M2); a forced one is declared good, on the operator's word.
    metadata.update(
      () => ({ incomplete: false, ...(resuid === 0n ? { localcnt: 0n, remotecnt: 0n } : {}) }),
      (error) => {
        if (error !== null) this.#fail(EXIT_NOINPUT, 'cannot store metadata');
        else this.#assemble(component, metadata);
      },
    );
    if (incomplete) {
      this.#ports.log.write(
        'warning',
        'Local copy is incomplete; it is used all the same, as forced by the operator.',
      );
    }
  }

  #assemble(component: Component, metadata: MetadataStore): void {
    if (this.#ended) return;
    this.#parts = new Parts(this.#ports, this.#config, this.#options, { component, metadata }, this);
    this.#begin(metadata.current);
  }

  #begin({ incomplete }: Metadata): void {
    const { log, clock } = this.#ports;
    if (incomplete) log.write('warning', 'Local copy is incomplete; no device until its source connects.');
    else this.#createDevice();
    if (this.#config.remoteaddr === 'none') {
      this.#serve();
      return;
    }
    this.#parts?.link.connect();
    clock.after(FIRST_CONTACT_MS, () => {
      if (this.#parts?.link.contacted === false) this.#serve();
    });
  }

  #createDevice(): void {
    const current = this.#parts?.metadata.current;
    if (current === undefined || this.#stopping) return;
    const { disk, devices, parent, log } = this.#ports;
    const geometry = {
      provider: this.#config.provname,
      mediaSize: current.datasize,
      sectorSize: disk.sectorSize,
    };
    this.#device = devices.create(geometry, this);
    const origin = this.#device.recovered ? 'recovered' : 'created';
    log.write('info', `Device hast/${this.#config.provname} ${origin}.`);
    parent.exported();
  }

  #serve(): void {
    if (this.#serving || this.#stopping || this.#device === null) return;
    this.#serving = true;
    this.#parts?.intake.open();
  }

  #fail(code: number, message: string): void {
    this.#ports.log.write('error', `${message}.`);
    this.#close(code);
  }

  #close(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const finish = (): void => {
      this.#parts?.link.stop();
      this.#ports.parent.exit(code);
    };
    if (this.#device === null) finish();
    else this.#device.close(finish);
  }
}
