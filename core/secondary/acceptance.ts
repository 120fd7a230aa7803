import { Bitmap } from '../activemap/bitmap.js';
import type { ResourceConfig } from '../config/types.js';
import { decide, type Verdict } from '../handshake/verdict.js';
import { extentCount, METADATA_BYTES } from '../metadata/geometry.js';
import { withChange, type Metadata } from '../metadata/codec.js';
import { MetadataStore } from '../metadata/store.js';
import { isPortError, portError, type Done, type PortError } from '../ports/error.js';
import type { Component } from '../resource/component.js';
import type { WorkerPorts } from '../resource/worker.js';
import {
  decodeFirstMessage,
  encodeAttachRefusal,
  encodeAttachReply,
  resuidMismatch,
  SPLIT_BRAIN,
  type Attach,
  type Standing,
} from '../wire/handshake-messages.js';
import { decodeNv } from '../wire/nv-list.js';
import type { NvPair } from '../wire/nv.js';
import { packPayload } from '../wire/payload.js';

/** What goes to the primary: an nv list and the data behind it. */
interface Answer {
  readonly fields: NvPair[];
  readonly data: readonly Uint8Array[];
}

export type Accepted =
  | { readonly kind: 'refused'; readonly event: 'split-brain' | 'mismatch'; readonly answer: Answer }
  | { readonly kind: 'attached'; readonly metadata: MetadataStore; readonly answer: Answer };

type Acceptable = Extract<Verdict, { kind: 'accept' }>;

/**
 * The secondary's side of handshake 2 (core/spec/wire.md section 6.2): judge by the counters, make durable what the answer
 * implies, then answer. A node that takes over the primary's resource id needs everything from it, and says so on its
 * disk (an all-ones map) before the id is stored (W6, I17). A copy that is about to be written over as a whole is marked
 * incomplete first (W8).
 */
export class Acceptance {
  readonly #ports: WorkerPorts;
  readonly #config: ResourceConfig;
  readonly #component: Component;
  readonly #metadata: MetadataStore;

  constructor(ports: WorkerPorts, config: ResourceConfig, component: Component) {
    this.#ports = ports;
    this.#config = config;
    this.#component = component;
    this.#metadata = new MetadataStore(ports, withChange(component.metadata, { prevrole: 'secondary' }));
  }

  judge(handshake: Uint8Array, done: (error: PortError | null, accepted: Accepted | null) => void): void {
    const list = decodeNv(handshake);
    const attach = isPortError(list) ? list : decodeFirstMessage(list);
    if (isPortError(attach) || attach.kind !== 'attach') {
      done(portError('EPROTO', 'the second handshake message makes no sense'), null);
      return;
    }
    const { metadata, bits } = this.#component;
    const clean = bits.every((byte) => byte === 0);
    const verdict = decide(
      attach,
      adoptionIsPending(attach, metadata, bits) ? withChange(metadata, { resuid: 0n }) : metadata,
      clean,
    );
    if (verdict.kind !== 'accept') {
      done(null, this.#refusal(verdict.kind, attach));
      return;
    }
    this.#report(verdict);
    this.#store(verdict, attach, (error) => {
      if (error !== null) done(error, null);
      else done(null, { kind: 'attached', metadata: this.#metadata, answer: this.#answer(verdict) });
    });
  }

  #refusal(kind: 'resuid-mismatch' | 'split-brain', attach: Attach): Accepted {
    const { log } = this.#ports;
    const split = kind === 'split-brain';
    const message = split ? SPLIT_BRAIN : resuidMismatch(attach.resuid, this.#component.metadata.resuid);
    log.write('error', split ? 'Split-brain detected, exiting.' : message);
    const fields = encodeAttachRefusal(this.#standing(), message);
    return { kind: 'refused', event: split ? 'split-brain' : 'mismatch', answer: { fields, data: [] } };
  }

  /** What was under way when this node died as primary: nobody can know whether the new primary has all of it (W4). */
  #report(verdict: Acceptable): void {
    const { log } = this.#ports;
    const { metadata, bits } = this.#component;
    if (verdict.impossible) {
      log.write('warning', 'The counters of both nodes make no sense together; everything is synchronized.');
    }
    if (metadata.prevrole !== 'primary' || verdict.syncsrc !== 'primary') return;
    const dirty = Bitmap.from(bits, extentCount(metadata.datasize, metadata.extentsize)).count;
    if (dirty === 0) return;
    const what = `${String(dirty)} extents written here while primary`;
    log.write(
      'warning',
      `${what} are overwritten with the primary's; writes not replicated by then are lost.`,
    );
  }

  #store(verdict: Acceptable, attach: Attach, done: Done): void {
    const { disk } = this.#ports;
    const adopt = (error: PortError | null): void => {
      if (error !== null) done(error);
      else this.#storeMetadata(verdict, attach, done);
    };
    if (!verdict.adopts || verdict.map !== 'full') {
      adopt(null);
      return;
    }
    const ones = new Uint8Array(this.#component.bits.length).fill(0xff);
    disk.write(METADATA_BYTES, ones, (error) => {
      if (error !== null) done(error);
      else
        disk.flush((failure) => {
          adopt(failure?.code === 'EOPNOTSUPP' ? null : failure);
        });
    });
  }

  #storeMetadata(verdict: Acceptable, attach: Attach, done: Done): void {
    const { current } = this.#metadata;
    const incomplete = isIncomplete(verdict, attach, current);
    if (!verdict.adopts && incomplete === current.incomplete) {
      done(null);
      return;
    }
    // A new node goes on counting where the primary remembers its predecessor, or its own lonely writes would not show (I12).
    const adopted = verdict.adopts ? { resuid: attach.resuid, localcnt: attach.remotecnt } : {};
    this.#metadata.update(() => ({ incomplete, ...adopted }), done);
  }

  #answer(verdict: Acceptable): Answer {
    const { datasize, extentsize, localcnt, remotecnt } = this.#standing();
    const { adopts: virgin, syncsrc } = verdict;
    const map = this.#mapFor(verdict);
    const mapsize = map?.length ?? 0;
    const fields = encodeAttachReply({ datasize, extentsize, localcnt, remotecnt, virgin, syncsrc, mapsize });
    if (map === null) return { fields, data: [] };
    const payload = packPayload(this.#ports.codecs, this.#config, map);
    return { fields: [...fields, ...payload.fields], data: [payload.data] };
  }

  #mapFor(verdict: Acceptable): Uint8Array | null {
    if (verdict.map === 'none') return null;
    return verdict.map === 'full' ? this.#component.bits.slice().fill(0xff) : this.#dirtyBits();
  }

  /** Extents with bad bytes belong to them whatever became of the map on disk (W18). */
  #dirtyBits(): Uint8Array {
    const { bits, metadata } = this.#component;
    const bitmap = Bitmap.from(bits, bits.length * 8);
    for (const { offset, length } of metadata.localBad) {
      const last = Math.floor((offset + length - 1) / metadata.extentsize);
      for (let extent = Math.floor(offset / metadata.extentsize); extent <= last; extent++)
        bitmap.set(extent);
    }
    return bitmap.bytes;
  }

  #standing(): Standing {
    const { datasize, extentsize, resuid } = this.#component.metadata;
    const { localcnt, remotecnt } = this.#metadata.current;
    return { datasize, extentsize, localcnt, remotecnt, virgin: resuid === 0n };
  }
}

/**
 * Is this copy of no use alone once the session has begun (W8)? After a full synchronisation has begun. Otherwise an own
 * primary says so when it must; an unmodified one never says when a copy is complete, so equal counters are taken for it.
 */
function isIncomplete(verdict: Acceptable, attach: Attach, own: Metadata): boolean {
  if (verdict.syncsrc === 'secondary') return own.incomplete;
  const equal = attach.localcnt === own.remotecnt && attach.remotecnt === own.localcnt;
  return verdict.map === 'full' || (own.incomplete && !equal);
}

/**
 * This node took over the primary's id, and the primary has not heard of it yet: a primary that never wrote alone would be
 * equal by the counters, and only the all-ones map tells. Until that map is erased the answer is given again (C20, I17):
 * `virgin` makes the primary count. The map of a node that was primary itself is never all ones: its last bits stand for no extent.
 */
function adoptionIsPending(attach: Attach, own: Metadata, bits: Uint8Array): boolean {
  const isEqual = attach.localcnt === 0n && own.remotecnt === 0n && attach.remotecnt === own.localcnt;
  return own.incomplete && attach.resuid === own.resuid && isEqual && bits.every((byte) => byte === 0xff);
}
