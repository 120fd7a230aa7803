import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplicationMode } from '../../core/config/types.js';
import { decide } from '../../core/handshake/verdict.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { decodeMetadata, type Metadata } from '../../core/metadata/codec.js';
import type { DeviceCommand } from '../../core/ports/device.js';
import { isPortError, type PortError } from '../../core/ports/error.js';
import type { Reply } from '../../core/wire/request-messages.js';
import { simCodecs } from '../../sim/codecs.js';
import { History } from './history.js';
import type { DiskOrder } from './manual-disk.js';
import { EXTENT, LOCALOFF, MODES, PrimaryBench, SECTOR } from './primary-bench.js';
import type { PeerRequest } from './scripted-secondary.js';

const EXTENTS = 8;
const SECTORS = (EXTENTS * EXTENT) / SECTOR;
/** Where the peer alone has the newest data, in lives that begin out of date. */
const STALE = [1, 3] as const;
const NEWER = 0xaaaa;

type Step =
  | {
      readonly kind: 'submit';
      readonly command: DeviceCommand;
      readonly sector: number;
      readonly sectors: number;
    }
  | { readonly kind: 'disk'; readonly which: number; readonly code: string | null }
  | { readonly kind: 'reply'; readonly which: number; readonly how: 'ok' | 'received' | 'EIO' | 'EOPNOTSUPP' }
  | { readonly kind: 'drop'; readonly executed: number }
  | { readonly kind: 'wait'; readonly ms: number };

const command = fc.oneof(
  { weight: 6, arbitrary: fc.constant('write' as const) },
  { weight: 3, arbitrary: fc.constant('read' as const) },
  { weight: 1, arbitrary: fc.constantFrom('delete' as const, 'flush' as const) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('submit' as const),
      command,
      sector: fc.nat(SECTORS - 1),
      sectors: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('disk' as const),
      which: fc.nat(30),
      code: fc.oneof(
        { weight: 9, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constant('EIO') },
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('reply' as const),
      which: fc.nat(30),
      how: fc.oneof(
        { weight: 8, arbitrary: fc.constant('ok' as const) },
        { weight: 4, arbitrary: fc.constant('received' as const) },
        { weight: 1, arbitrary: fc.constantFrom('EIO' as const, 'EOPNOTSUPP' as const) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), executed: fc.nat(10) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 500, 3000, 12_000),
    }),
  },
);

/** What really became of one piece of a WRITE. */
interface Legs {
  local: 'pending' | 'ok' | 'failed';
  remote: 'unsent' | 'sent' | 'received' | 'ok' | 'failed';
  session: number;
}

interface Request {
  readonly command: DeviceCommand;
  readonly offset: number;
  readonly length: number;
  readonly issuedAt: number;
  /** By the piece's offset. */
  readonly legs: Map<number, Legs>;
}

/** One life of a primary: every answer is checked the moment it is given, every bit after every step. */
class Life {
  readonly bench: PrimaryBench;
  readonly #mode: ReplicationMode;
  readonly #history = new History(SECTORS);
  readonly #requests = new Map<number, Request>();
  #faults = 0;
  /** Disk and peer work by themselves, and nobody notes which comes first. */
  #ending = false;
  #metadataFaults = 0;
  /** Time (of the history) of the peer's last good answer to a FLUSH. */
  #peerFlushedAt = -1;

  constructor(mode: ReplicationMode, outOfDate: boolean) {
    this.#mode = mode;
    const bits = outOfDate ? [STALE.reduce((byte, extent) => byte | (1 << extent), 0)] : [];
    const metadata = { incomplete: outOfDate, localcnt: 0n };
    this.bench = new PrimaryBench({ extents: EXTENTS, bits, metadata, resource: { replication: mode } });
    const { peer } = this.bench;
    if (outOfDate) {
      peer.standing = { ...peer.standing, localcnt: 1n };
      for (const extent of STALE) this.#writeOnPeer(extent);
    }
    peer.judge = (attach) => {
      const verdict = decide(attach, { resuid: 7n, ...peer.standing }, true);
      if (verdict.kind !== 'accept') throw new Error(`the primary made it a ${verdict.kind}`);
      peer.standing = { ...peer.standing, syncsrc: verdict.syncsrc };
    };
    peer.heard = (request) => {
      this.#sent(request);
    };
    peer.replied = (request, reply) => {
      this.#replied(request, reply);
    };
    this.bench.disk.completed = (order, code) => {
      this.#completed(order, code);
    };
    this.bench.answered = (id, error) => {
      this.#answered(id, error);
    };
    this.bench.connect();
  }

  play(steps: readonly Step[]): void {
    for (const one of steps) {
      this.#do(one);
      this.#checkBits();
      this.#checkCount();
    }
    this.#end();
  }

  #do(one: Step): void {
    const { bench } = this;
    switch (one.kind) {
      case 'submit':
        this.#submit(one.command, one.sector, Math.min(one.sectors, SECTORS - one.sector));
        break;
      case 'disk': {
        const order = bench.disk.orders[one.which % Math.max(1, bench.disk.orders.length)];
        if (order !== undefined) bench.disk.complete(order, one.code);
        break;
      }
      case 'reply':
        this.#reply(one.which, one.how);
        break;
      case 'drop':
        this.#faults++;
        for (let i = 0; i < one.executed; i++) this.#reply(0, 'ok');
        bench.peer.drop();
        break;
      case 'wait':
        bench.run(one.ms);
        return;
    }
    bench.run(3);
  }

  #submit(kind: DeviceCommand, sector: number, sectors: number): void {
    const offset = kind === 'flush' ? 0 : sector * SECTOR;
    const length = kind === 'flush' ? 0 : sectors * SECTOR;
    const { bench } = this;
    const id = this.#requests.size + 1;
    const request = {
      command: kind,
      offset,
      length,
      issuedAt: this.#history.now,
      legs: new Map<number, Legs>(),
    };
    if (kind === 'write') {
      for (let at = offset; at < offset + length; at += 2 * SECTOR) {
        request.legs.set(at, { local: 'pending', remote: 'unsent', session: 0 });
      }
    }
    this.#requests.set(id, request);
    if (changes(kind)) this.#history.issue(this.#change(id, request));
    expect(bench.submit(kind, offset, length)).toBe(id);
  }

  #completed(order: DiskOrder, code: string | null): void {
    if (code !== null) this.#faults++;
    if (code !== null && order.offset === 0) this.#metadataFaults++;
    const legs = order.operation === 'write' ? this.#legsOf(order.buffer, order.offset - LOCALOFF) : null;
    if (legs !== null) legs.local = code === null ? 'ok' : 'failed';
  }

  #sent(request: PeerRequest): void {
    const legs = request.command === 'write' ? this.#legsOf(request.data, request.offset) : null;
    // A chunk of a synchronisation carries the data of a write that has ended.
    if (legs === null || legs.remote !== 'unsent' || legs.local !== 'pending') return;
    legs.remote = 'sent';
    legs.session = request.session;
  }

  /** Of overlapping changes the peer executes the oldest first. */
  #reply(which: number, how: 'ok' | 'received' | 'EIO' | 'EOPNOTSUPP'): void {
    const { peer } = this.bench;
    const chosen = peer.requests[which % Math.max(1, peer.requests.length)];
    const request = peer.requests.find(
      (one) => one === chosen || (chosen !== undefined && overlap(one, chosen)),
    );
    if (request === undefined) return;
    if (how === 'ok') peer.execute(request);
    else if (how !== 'received') peer.reply(request, { error: how });
    else if (request.memsync) peer.reply(request, { received: true });
  }

  #replied(request: PeerRequest, { received, error }: Reply): void {
    if (error !== null) this.#faults++;
    // A peer that has nothing to flush has nothing to lose.
    if (request.command === 'flush' && error !== 'EIO') this.#peerFlushedAt = this.#history.now;
    const legs = request.command === 'write' ? this.#legsOf(request.data, request.offset) : null;
    if (legs === null || legs.remote === 'ok') return;
    if (error !== null) legs.remote = 'failed';
    else legs.remote = received ? 'received' : 'ok';
  }

  #answered(id: number, error: PortError | null): void {
    const request = this.#requests.get(id);
    if (request === undefined) throw new Error('an answer to nobody');
    expect(this.bench.answers.get(id)).toHaveLength(1);
    const { parts, events } = this.bench;
    // A peer that waits too long to answer is lost, too.
    const lost = parts.link.session === null || events.includes('disconnect');
    if (error !== null) expect(this.#faults > 0 || lost).toBe(true);
    if (changes(request.command)) this.#history.end(this.#change(id, request), error === null);
    if (error !== null) return;
    if (request.command === 'write' && !this.#ending)
      for (const [offset, legs] of request.legs) this.#checkPromise(id, offset, legs);
    if (request.command === 'read') this.#checkRead(id, request);
    // The copy that counts is the peer's (W9).
    if (request.command === 'flush' && parts.truth.outOfDate) {
      expect(this.#peerFlushedAt).toBeGreaterThanOrEqual(request.issuedAt);
    }
  }

  /** core/spec/replication.md section 6.3, told by what really happened. */
  #checkPromise(id: number, offset: number, legs: Legs): void {
    const { parts, peer } = this.bench;
    const gone = parts.link.session === null || legs.session < peer.sessions;
    const lost = legs.remote === 'unsent' || legs.remote === 'failed' || (legs.remote !== 'ok' && gone);
    const metadata = this.#metadata();
    if (legs.local === 'failed') {
      expect(legs.remote).toBe('ok');
      const known = metadata.localBad.some((bad) => bad.offset <= offset && offset < bad.offset + bad.length);
      const overwritten = [...this.#requests].some(([other, one]) => other > id && covers(one, offset));
      expect(known || overwritten).toBe(true);
      return;
    }
    expect(legs.local).toBe('ok');
    if (parts.truth.outOfDate) expect(legs.remote).toBe('ok');
    // An answer for what the peer lacks is covered by a count that is on the disk (I16).
    else if (lost) expect(this.#mode === 'async' || metadata.localcnt > 0n).toBe(true);
    else if (this.#mode === 'fullsync') expect(legs.remote).toBe('ok');
    else if (this.#mode === 'memsync') expect(['received', 'ok']).toContain(legs.remote);
  }

  #checkRead(id: number, { offset, length, issuedAt }: Request): void {
    const words = new Uint32Array(this.bench.buffers.get(id)?.buffer ?? new ArrayBuffer(0));
    for (let at = 0; at < length; at += SECTOR) {
      const sector = (offset + at) / SECTOR;
      expect(this.#history.acceptable(sector, issuedAt)).toContain(words[at / 4]);
    }
  }

  /** Wherever the copies differ the bit is on the disk (I8, I10). */
  #checkBits(): void {
    const { disk, peer } = this.bench;
    for (let extent = 0; extent < EXTENTS; extent++) {
      const start = extent * EXTENT;
      const ours = disk.bytes.subarray(LOCALOFF + start, LOCALOFF + start + EXTENT);
      const theirs = peer.image.subarray(start, start + EXTENT);
      const differ = ours.some((byte, at) => byte !== theirs[at]);
      const bit = ((disk.bytes[METADATA_BYTES + (extent >> 3)] ?? 0) >> (extent & 7)) & 1;
      if (differ && bit === 0) throw new Error(`I8: extent ${String(extent)} differs and has no bit`);
    }
  }

  /** An answer was given for a write that was then lost on its way: the counters tell, as soon as they are stored (W4). */
  #checkCount(): void {
    const { disk, parts } = this.bench;
    const storing = disk.orders.some(({ operation, offset }) => operation === 'flush' || offset === 0);
    if (storing || parts.link.session !== null || this.#metadataFaults > 0) return;
    for (const [id, { legs }] of this.#requests) {
      if (this.bench.answer(id) !== 'ok') continue;
      for (const { remote, session } of legs.values()) {
        if (remote !== 'sent' && remote !== 'received') continue;
        if (session === this.bench.peer.sessions) expect(this.#metadata().localcnt).toBeGreaterThan(0n);
      }
    }
  }

  /** The world is well again: everything is answered, everything is released, and the copies become equal. */
  #end(): void {
    const { bench } = this;
    const { peer, parts } = bench;
    this.#ending = true;
    for (const request of [...peer.requests]) peer.execute(request);
    peer.automatic = true;
    const quiet = (): boolean =>
      parts.intake.busy === 0 &&
      parts.map.dirtyBytes === 0 &&
      parts.link.session !== null &&
      parts.truth.localBad.length === 0;
    for (let seconds = 0; seconds < 900 && !quiet(); seconds++) bench.run(1000, 'disk works');
    bench.run(6000, 'disk works');
    for (const [id] of this.#requests) expect(bench.answer(id)).not.toBeNull();
    expect(parts.intake.busy).toBe(0);
    expect(parts.ranges.size).toBe(0);
    expect(parts.localOrder.size).toBe(0);
    expect(parts.map.dirtyBytes).toBe(0);
    expect(parts.map.flushOwed).toBe(0);
    expect(parts.statistics.localQueue).toBe(0);
    expect(parts.lineage.separated).toBe(false);
    const [ours, theirs] = [bench.disk.bytes.subarray(LOCALOFF), peer.image];
    expect(ours.findIndex((byte, at) => byte !== theirs[at])).toBe(-1);
    expect(this.#history.settle(theirs, Infinity).violation).toBeNull();
    const { localcnt, remotecnt, incomplete, localBad } = this.#metadata();
    expect([localcnt, remotecnt]).toEqual([peer.standing.remotecnt, peer.standing.localcnt]);
    expect(incomplete).toBe(false);
    // A mark that could not be taken from the disk stays there, and does no harm.
    if (this.#metadataFaults === 0) expect(localBad).toEqual([]);
  }

  #metadata(): Metadata {
    const { disk } = this.bench;
    const expected = { resource: 'r0', mediaSize: disk.mediaSize, sectorSize: SECTOR };
    const metadata = decodeMetadata(disk.bytes.slice(0, METADATA_BYTES), expected, simCodecs);
    if (isPortError(metadata)) throw new Error(metadata.message);
    return metadata;
  }

  #change(
    id: number,
    { command: kind, offset, length }: Request,
  ): {
    firstSector: number;
    sectors: number;
    value: number;
  } {
    return { firstSector: offset / SECTOR, sectors: length / SECTOR, value: kind === 'write' ? id : 0 };
  }

  /** The piece that this buffer belongs to; null for a chunk of a synchronisation, metadata or map. */
  #legsOf(buffer: Uint8Array | null, offset: number): Legs | null {
    if (buffer === null || offset < 0) return null;
    const id = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength).getUint32(0, true);
    return this.#requests.get(id)?.legs.get(offset) ?? null;
  }

  /** What the peer wrote alone before this life began. */
  #writeOnPeer(extent: number): void {
    const { image } = this.bench.peer;
    new Uint32Array(image.buffer, image.byteOffset + extent * EXTENT, EXTENT / 4).fill(NEWER);
    const write = { firstSector: (extent * EXTENT) / SECTOR, sectors: EXTENT / SECTOR, value: NEWER };
    this.#history.issue(write);
    this.#history.end(write, true);
  }
}

function changes(kind: DeviceCommand): boolean {
  return kind === 'write' || kind === 'delete';
}

function covers({ offset, length }: Request, at: number): boolean {
  return offset < at + 2 * SECTOR && at < offset + length;
}

function overlap(one: PeerRequest, other: PeerRequest): boolean {
  return one.offset < other.offset + other.length && other.offset < one.offset + one.length;
}

describe('life of a request', () => {
  for (const mode of MODES) {
    for (const outOfDate of [false, true]) {
      it(`${mode}${outOfDate ? ', out of date' : ''}: one answer, never early, everything released, no bit missing`, () => {
        fc.assert(
          fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
            new Life(mode, outOfDate).play(steps);
          }),
          { numRuns: 40, interruptAfterTimeLimit: 60_000 },
        );
      });
    }
  }
});
