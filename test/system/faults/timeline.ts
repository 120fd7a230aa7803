/**
 * All that happened to one resource, in one order: what reached the disks of both hosts, what was flushed there, and what
 * its application asked and heard. A moment is a number of events; `Moment` goes from one to a later one and knows what the
 * disks hold then and what has been promised.
 */
import { unreachable } from '../../../core/base/assert.js';
import type { HostName } from '../lab/network.js';
import type { ApplicationWitness } from './application.js';
import type { StampedWrite } from './ledger.js';
import { Ledger } from './ledger.js';
import type { DiskRecorder } from './recording-disk.js';
import type { DiskWrite } from './volatile-disk.js';
import { VolatileDisk } from './volatile-disk.js';

type Event =
  | { readonly kind: 'written'; readonly host: HostName; readonly write: DiskWrite }
  | { readonly kind: 'disk flushed'; readonly host: HostName }
  | { readonly kind: 'issued' | 'acknowledged'; readonly write: StampedWrite }
  | { readonly kind: 'flushed'; readonly acknowledgements: number };

export class Timeline {
  readonly #events: Event[] = [];
  /** Moments right after the application heard that a flush had succeeded. */
  readonly #flushes: number[] = [];

  get length(): number {
    return this.#events.length;
  }

  get flushes(): readonly number[] {
    return this.#flushes;
  }

  event(index: number): Event | undefined {
    return this.#events[index];
  }

  /** What the disk of a host has to tell. */
  recorder(host: HostName): DiskRecorder {
    return {
      written: (write) => this.#events.push({ kind: 'written', host, write }),
      flushed: () => this.#events.push({ kind: 'disk flushed', host }),
    };
  }

  readonly witness: ApplicationWitness = {
    issued: (write) => this.#events.push({ kind: 'issued', write }),
    acknowledged: (write) => this.#events.push({ kind: 'acknowledged', write }),
    flushed: (acknowledgements) => {
      this.#events.push({ kind: 'flushed', acknowledgements });
      this.#flushes.push(this.#events.length);
    },
  };
}

export class Moment {
  readonly disks: Readonly<Record<HostName, VolatileDisk>>;
  readonly ledger: Ledger;
  readonly #timeline: Timeline;
  #next = 0;

  /** The beginning: disks of zeros, an application with `blocks` blocks. */
  constructor(timeline: Timeline, mediaSize: number, blocks: number) {
    this.#timeline = timeline;
    this.disks = {
      alpha: new VolatileDisk(new Uint8Array(mediaSize)),
      beta: new VolatileDisk(new Uint8Array(mediaSize)),
    };
    this.ledger = new Ledger(blocks);
  }

  /** Goes to the moment after so many events, a later one. */
  advanceTo(events: number): void {
    for (; this.#next < events; this.#next++) {
      const event = this.#timeline.event(this.#next);
      if (event !== undefined) this.#apply(event);
    }
  }

  #apply(event: Event): void {
    switch (event.kind) {
      case 'written':
        this.disks[event.host].write(event.write);
        return;
      case 'disk flushed':
        this.disks[event.host].flush();
        return;
      case 'issued':
        this.ledger.issued(event.write);
        return;
      case 'acknowledged':
        this.ledger.acknowledged(event.write);
        return;
      case 'flushed':
        this.ledger.flushed(event.acknowledgements);
        return;
      default:
        unreachable(event);
    }
  }
}
