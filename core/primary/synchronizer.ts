import type { ExtentRange } from '../activemap/activemap.js';
import { newBuffer } from '../base/slab.js';
import type { ByteRange } from '../base/range-set.js';
import { formatBytes, formatDuration } from '../base/human.js';
import type { PortError } from '../ports/error.js';
import type { Timer } from '../ports/clock.js';
import { Chunk, type ChunkOwner } from './chunk.js';
import type { Parts } from './parts.js';
import type { Session } from './session.js';

/** Chunks in flight at once. */
const WINDOW = 8;
/** Ranges waiting to be written back; more are found again when they are read again. */
const MAX_REPAIRS = 64;
const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 60_000;

/** An extent being copied. */
interface ActiveExtent {
  readonly extent: number;
  readonly end: number;
  readonly pull: boolean;
  next: number;
  inFlight: number;
  failed: boolean;
  /** It became dirty again while being copied. */
  again: boolean;
  /** Bytes that are bad here were left out: the peer has them. */
  skipped: boolean;
}

/**
 * Makes the nodes equal again, extent by extent, lowest first (core/spec/replication.md section 10). Everything here belongs to
 * one session (W11): when it ends, what was under way is forgotten and the bits tell where to begin anew. An extent with
 * a failed chunk keeps its bit and is tried again later (W10). The end is an end only if the peer lacks nothing, both nodes
 * have flushed (W15c) and the counters are stored; then the nodes agree.
 *
 * What is bad here (W18) is not the peer's fault: its copy is complete without it, and must be usable if this node dies. So such
 * bytes are left out, and fetched back again and again; an extent with some of them keeps its bit until they are here.
 */
export class Synchronizer implements ChunkOwner {
  readonly #parts: Parts;
  #session: Session | null = null;
  #active: ActiveExtent[] = [];
  readonly #chunks = new Map<Chunk, ActiveExtent | null>();
  readonly #failed = new Set<number>();
  /** Extents with a bit of which the peer has everything, and only this node lacks something. */
  readonly #badHere = new Set<number>();
  #repairs: ByteRange[] = [];
  readonly #buffers: Uint8Array[] = [];
  #cursor = 0;
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #started = false;
  #finishing = false;
  #agreed = false;
  /** The peer holds its copy for incomplete until told otherwise (W8). */
  #toldIncomplete = false;
  #copiedBytes = 0;
  #startedAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A session was installed: copy whatever needs it (after every handshake, W41). */
  connected(session: Session): void {
    this.#session = session;
    this.#cursor = 0;
    this.#agreed = false;
    this.#toldIncomplete = false;
    this.#failed.clear();
    this.#badHere.clear();
    this.#retryMs = FIRST_RETRY_MS;
    // Before any write reaches a copy that lacks earlier ones, even if bad bytes are fetched back first.
    if (this.#parts.map.syncCount > 0) this.#tellIncomplete(session);
    this.#queueRepairs();
    this.#pump();
  }

  /** The session is gone; what was in flight finishes into nothing. */
  interrupted(): void {
    this.#session = null;
    this.#active = [];
    this.#repairs = [];
    this.#finishing = false;
    for (const chunk of this.#chunks.keys()) this.#chunks.set(chunk, null);
    this.#retry?.cancel();
    this.#retry = null;
    if (!this.#started) return;
    this.#started = false;
    const { log, clock } = this.#parts;
    const duration = formatDuration(clock.now() - this.#startedAt);
    const copied = formatBytes(this.#copiedBytes);
    log.write('info', `Synchronization interrupted after ${duration}. ${copied} synchronized so far.`);
    this.#parts.event('syncintr');
  }

  /** Extents were marked need-sync while the session goes on: the peer lacks something. */
  marked(range: ExtentRange): void {
    if (this.#session === null) return;
    this.#agreed = false;
    for (let extent = range.first; extent <= range.last; extent++) this.#badHere.delete(extent);
    this.#copyAgain(range);
  }

  /** The same, but it is this node that lacks something. */
  markedBad(range: ExtentRange): void {
    if (this.#session === null) return;
    if (!this.#agreed) {
      this.#copyAgain(range);
      return;
    }
    for (let extent = range.first; extent <= range.last; extent++) this.#badHere.add(extent);
    this.#queueRepairs();
    this.#pump();
  }

  #copyAgain(range: ExtentRange): void {
    for (const active of this.#active) {
      if (active.extent >= range.first && active.extent <= range.last) active.again = true;
    }
    this.#cursor = Math.min(this.#cursor, range.first);
    this.#queueRepairs();
    this.#pump();
  }

  /** A local read failed and the peer had the data: write it back (W40). */
  repair(range: ByteRange): void {
    if (this.#session === null || this.#repairs.length >= MAX_REPAIRS) return;
    this.#repairs.push(range);
    this.#pump();
  }

  chunkFinished(chunk: Chunk, error: PortError | null): void {
    const active = this.#chunks.get(chunk) ?? null;
    this.#chunks.delete(chunk);
    if (error === null && chunk.pull) this.#repaired(chunk);
    if (active !== null) this.#account(active, chunk, error);
    this.#pump();
  }

  /** Bytes that were bad here are good again; the mark goes from the metadata, too. */
  #repaired(chunk: Chunk): void {
    const { truth } = this.#parts;
    if (truth.isMarked(chunk)) truth.localWritten(chunk, () => undefined);
    this.#reconsider();
  }

  #queueRepairs(): void {
    const { truth, maxRequestBytes } = this.#parts;
    for (const { offset, length } of truth.localBad) {
      for (let at = 0; at < length; at += maxRequestBytes) {
        this.#repairs.push({ offset: offset + at, length: Math.min(maxRequestBytes, length - at) });
      }
    }
  }

  #account(active: ActiveExtent, chunk: Chunk, error: PortError | null): void {
    active.inFlight--;
    if (error === null) {
      this.#copiedBytes += chunk.length;
    } else {
      active.failed = true;
      const text = `Synchronization of extent ${String(active.extent)} failed: ${error.message}.`;
      // The end of the session is told once, not for every chunk that was on its way.
      if (error.code !== 'ENOTCONN') this.#parts.log.write('error', text);
    }
    if (active.inFlight === 0 && (active.next === active.end || active.failed)) this.#copied(active);
  }

  /** All of an extent, as far as it could be. */
  #copied(active: ActiveExtent): void {
    this.#active = this.#active.filter((other) => other !== active);
    if (active.failed) {
      this.#failed.add(active.extent);
    } else if (active.again) {
      this.#cursor = Math.min(this.#cursor, active.extent);
    } else if (active.skipped) {
      this.#badHere.add(active.extent);
    } else {
      this.#parts.map.synced(active.extent);
      this.#parts.mapStore.persist(null);
      // What is flushed by the end of this session need not be copied again in the next (C35).
      this.#parts.flusher.written();
    }
  }

  #pump(): void {
    const session = this.#session;
    if (session?.open !== true || this.#finishing) return;
    while (this.#chunks.size < WINDOW && this.#startNext(session));
    if (this.#chunks.size > 0 || this.#active.length > 0) return;
    if (this.#failed.size === 0 && !this.#agreed) this.#finish(session);
    else if (this.#failed.size > 0 || this.#badHere.size > 0) this.#retryLater();
  }

  #startNext(session: Session): boolean {
    const { maxRequestBytes } = this.#parts;
    const repair = this.#repairs.shift();
    if (repair !== undefined) {
      // The application's writes go to the peer already, which has to know what else it lacks.
      if (!this.#started && this.#moreToDo()) this.#announce(session);
      this.#startChunk(session, null, { offset: repair.offset, length: repair.length, pull: true });
      return true;
    }
    // What is bad here is no source: extents are copied when that is mended, as far as it can be.
    if ([...this.#chunks.values()].includes(null)) return false;
    const active = this.#active.find((one) => one.next < one.end && !one.failed) ?? this.#nextExtent();
    if (active === null) return false;
    if (!this.#started) this.#announce(session);
    const length = Math.min(maxRequestBytes, active.end - active.next);
    const range = this.#source(active, { offset: active.next, length });
    active.next = range.offset + range.length;
    if (range.length > 0) {
      active.inFlight++;
      this.#startChunk(session, active, { offset: range.offset, length: range.length, pull: active.pull });
    } else if (active.inFlight === 0 && active.next === active.end) {
      this.#copied(active);
    }
    return true;
  }

  /** The first bytes of the range that can be copied to the peer; those that are bad here are left out. */
  #source(active: ActiveExtent, range: ByteRange): ByteRange {
    const { truth } = this.#parts;
    if (active.pull || truth.of(range) === 'here') return range;
    const good = truth.split(range).find((piece) => truth.of(piece) === 'here');
    active.skipped = true;
    return good ?? { offset: range.offset + range.length, length: 0 };
  }

  #nextExtent(): ActiveExtent | null {
    const { map, truth } = this.#parts;
    for (;;) {
      const extent = map.nextToSync(this.#cursor);
      if (extent === -1) return null;
      this.#cursor = extent + 1;
      if (this.#failed.has(extent) || this.#badHere.has(extent)) continue;
      if (this.#active.some((one) => one.extent === extent)) continue;
      const start = extent * map.extentsize;
      const end = start + map.lengthOf(extent);
      const pull = truth.outOfDate;
      const active = {
        extent,
        end,
        pull,
        next: start,
        inFlight: 0,
        failed: false,
        again: false,
        skipped: false,
      };
      this.#active.push(active);
      return active;
    }
  }

  #startChunk(
    session: Session,
    active: ActiveExtent | null,
    range: { offset: number; length: number; pull: boolean },
  ): void {
    const buffer = this.#buffers.pop() ?? newBuffer(this.#parts.maxRequestBytes);
    const owner: ChunkOwner = {
      chunkFinished: (chunk, error) => {
        this.#buffers.push(buffer);
        this.chunkFinished(chunk, error);
      },
    };
    const chunk = new Chunk(this.#parts, session, range, buffer, owner);
    this.#chunks.set(chunk, active);
    chunk.start();
  }

  #announce(session: Session): void {
    const { map, log, clock } = this.#parts;
    this.#tellIncomplete(session);
    this.#started = true;
    this.#copiedBytes = 0;
    this.#startedAt = clock.now();
    log.write('info', `Synchronization started. ${formatBytes(map.syncCount * map.extentsize)} to go.`);
    this.#parts.event('syncstart');
  }

  /** The peer's last writes may have been lost with its power, or it has missed some: half copied, it is neither old nor new. */
  #tellIncomplete(session: Session): void {
    if (this.#parts.truth.outOfDate || this.#toldIncomplete) return;
    this.#toldIncomplete = true;
    session.announce(false);
  }

  #retryLater(): void {
    if (this.#retry !== null) return;
    this.#retry = this.#parts.clock.after(this.#retryMs, () => {
      this.#retry = null;
      this.#failed.clear();
      this.#reconsider();
      this.#cursor = 0;
      this.#queueRepairs();
      this.#pump();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }

  /** Extents that are not bad here any more, because they were fetched back or overwritten, are copied as any other. */
  #reconsider(): void {
    const { map, truth } = this.#parts;
    for (const extent of this.#badHere) {
      const range = { offset: extent * map.extentsize, length: map.lengthOf(extent) };
      if (truth.isBad(range)) continue;
      this.#badHere.delete(extent);
      this.#agreed = false;
      this.#cursor = Math.min(this.#cursor, extent);
    }
  }

  /** Nothing is left to copy: flush both nodes, then let the counters say that they agree. */
  #finish(session: Session): void {
    this.#finishing = true;
    if (!this.#started) {
      this.#agree(session);
      return;
    }
    this.#parts.flusher.flush((outcome) => {
      if (session !== this.#session || !session.open) return;
      const flushed = outcome.local === null || outcome.local.code === 'EOPNOTSUPP';
      if (this.#moreToDo()) this.#goOn();
      else if (flushed && outcome.remote !== 'failed') this.#agree(session);
      else this.#tryFinishLater();
    });
  }

  #agree(session: Session): void {
    const { lineage, link, metadata, truth } = this.#parts;
    if (!truth.isStored) {
      this.#storeTruth(session);
      return;
    }
    const { localcnt, remotecnt, incomplete } = metadata.current;
    const counts = link.peerCounts;
    const agreed = localcnt === counts.remotecnt && remotecnt === counts.localcnt && !incomplete;
    if (agreed && !lineage.separated && !metadata.doubtful) {
      this.#complete();
      return;
    }
    lineage.rejoin(counts, (error) => {
      if (error === null) this.#becomeCurrent();
      if (session !== this.#session || !session.open) return;
      if (error !== null) {
        this.#tryFinishLater();
        return;
      }
      // It may be what the peer has been waiting for since an earlier session.
      this.#toldIncomplete = true;
      this.#complete();
    });
  }

  /** Bytes that were bad and are good again are no longer marked, even if that could not be stored at the time. */
  #storeTruth(session: Session): void {
    this.#parts.truth.store((error) => {
      if (session !== this.#session || !session.open) return;
      if (error === null && !this.#moreToDo()) this.#agree(session);
      else this.#tryFinishLater();
    });
  }

  /** The copy here is complete: nothing depends on the peer any more, even if the session has ended meanwhile. */
  #becomeCurrent(): void {
    const { truth, intake } = this.#parts;
    if (!truth.outOfDate) return;
    truth.outOfDate = false;
    intake.resume();
  }

  #complete(): void {
    this.#finishing = false;
    const { log, clock, link } = this.#parts;
    this.#agreed = true;
    this.#retryMs = FIRST_RETRY_MS;
    link.peerHealthy();
    if (this.#toldIncomplete) this.#session?.announce(true);
    this.#toldIncomplete = false;
    if (!this.#started) {
      log.write('info', 'Nodes are in sync.');
    } else {
      this.#started = false;
      const elapsedMs = clock.now() - this.#startedAt;
      const rate = formatBytes(Math.floor(this.#copiedBytes / Math.max(1, Math.floor(elapsedMs / 1000))));
      const copied = formatBytes(this.#copiedBytes);
      const duration = formatDuration(elapsedMs);
      log.write('info', `Synchronization complete. ${copied} synchronized in ${duration} (${rate}/sec).`);
      this.#parts.event('syncdone');
    }
    if (this.#moreToDo()) this.#goOn();
    else this.#pump();
  }

  #moreToDo(): boolean {
    return this.#parts.map.syncCount > this.#badHere.size;
  }

  #goOn(): void {
    this.#finishing = false;
    this.#agreed = false;
    this.#cursor = 0;
    this.#pump();
  }

  #tryFinishLater(): void {
    this.#finishing = true;
    this.#retry ??= this.#parts.clock.after(FIRST_RETRY_MS, () => {
      this.#retry = null;
      this.#goOn();
    });
  }
}
