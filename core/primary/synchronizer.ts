import type { ExtentRange } from '../activemap/activemap.js';
import type { ByteRange } from '../base/range-set.js';
import type { PortError } from '../ports/error.js';
import type { Timer } from '../ports/clock.js';
import { Chunk, type ChunkOwner } from './chunk.js';
import { ChunkFlow, type Slot } from './chunk-flow.js';
import { CopyPlan, type ActiveExtent } from './copy-plan.js';
import type { Parts } from './parts.js';
import type { Session } from './session.js';
import { SyncProgress, type SyncStanding } from './sync-progress.js';

const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 60_000;

/** A chunk on its way. */
interface Flight {
  readonly slot: Slot;
  /** Null: it writes back what could not be read here, or the session in which it began is gone. */
  active: ActiveExtent | null;
}

/**
 * Makes the nodes equal again (core/spec/replication.md section 10): what to copy next is the plan's affair, when the flow's.
 * Everything here belongs to one session (W11): when it ends, what was under way is forgotten and the bits tell where to
 * begin anew. The end is an end only if the peer lacks nothing, both nodes have flushed (W15c) and the counters are
 * stored; then the nodes agree.
 */
export class Synchronizer implements ChunkOwner {
  readonly #parts: Parts;
  readonly #plan: CopyPlan;
  readonly #flow: ChunkFlow;
  readonly #progress: SyncProgress;
  #session: Session | null = null;
  readonly #flights = new Map<Chunk, Flight>();
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #started = false;
  #finishing = false;
  #agreed = false;
  /** The peer holds its copy for incomplete until told otherwise (W8). */
  #toldIncomplete = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#plan = new CopyPlan(parts);
    this.#flow = new ChunkFlow(parts, () => {
      this.#pump();
    });
    this.#progress = new SyncProgress(parts);
  }

  /** A session was installed: copy whatever needs it (after every handshake, W41). */
  connected(session: Session): void {
    this.#session = session;
    this.#agreed = false;
    this.#toldIncomplete = false;
    this.#retryMs = FIRST_RETRY_MS;
    this.#flow.restart();
    // Before any write reaches a copy that lacks earlier ones, even if bad bytes are fetched back first.
    if (this.#parts.map.syncCount > 0) this.#tellIncomplete(session);
    this.#plan.begin();
    this.#pump();
  }

  /** The session is gone; what was in flight finishes into nothing. */
  interrupted(): void {
    this.#session = null;
    this.#plan.forget();
    this.#flow.pause();
    this.#finishing = false;
    for (const flight of this.#flights.values()) flight.active = null;
    this.#retry?.cancel();
    this.#retry = null;
    if (!this.#started) return;
    this.#started = false;
    this.#progress.interrupted();
    this.#parts.event('syncintr');
  }

  /** Null: no synchronisation is under way. */
  get standing(): SyncStanding | null {
    return this.#started ? this.#progress.standing() : null;
  }

  /** Live reload: the rate may be another one. */
  reloaded(): void {
    this.#flow.pause();
    this.#pump();
  }

  /** Extents were marked need-sync while the session goes on: the peer lacks something. */
  marked(range: ExtentRange): void {
    if (this.#session === null) return;
    this.#agreed = false;
    this.#plan.marked(range);
    this.#pump();
  }

  /** The same, but it is this node that lacks something. */
  markedBad(range: ExtentRange): void {
    if (this.#session === null) return;
    if (this.#agreed) this.#plan.markedBad(range);
    else this.#plan.copyAgain(range);
    this.#pump();
  }

  /** A local read failed and the peer had the data: write it back (W40). */
  repair(range: ByteRange): void {
    if (this.#session !== null && this.#plan.addRepair(range)) this.#pump();
  }

  chunkFinished(chunk: Chunk, error: PortError | null): void {
    const flight = this.#flights.get(chunk);
    if (flight === undefined) return;
    this.#flights.delete(chunk);
    this.#flow.finished(flight.slot, error === null);
    if (error === null && chunk.pull) this.#repaired(chunk);
    if (flight.active !== null) this.#account(flight.active, chunk, error);
    this.#pump();
  }

  /** Bytes that were bad here are good again; the mark goes from the metadata, too. */
  #repaired(chunk: Chunk): void {
    const { truth } = this.#parts;
    if (truth.isMarked(chunk)) truth.localWritten(chunk, () => undefined);
    this.#reconsider();
  }

  #account(active: ActiveExtent, chunk: Chunk, error: PortError | null): void {
    active.inFlight--;
    if (error === null) {
      this.#progress.copied(chunk.length);
    } else {
      active.failed = true;
      const text = `Synchronization of extent ${String(active.extent)} failed: ${error.message}.`;
      // The end of the session is told once, not for every chunk that was on its way.
      if (error.code !== 'ENOTCONN') this.#parts.log.write('error', text);
    }
    if (this.#plan.isDone(active)) this.#copied(active);
  }

  #copied(active: ActiveExtent): void {
    if (!this.#plan.finished(active)) return;
    this.#parts.map.synced(active.extent);
    this.#parts.mapStore.persist(null);
    // What is flushed by the end of this session need not be copied again in the next (C35).
    this.#parts.flusher.written();
  }

  #pump(): void {
    const session = this.#session;
    if (session?.open !== true || this.#finishing) return;
    do {
      if (!this.#flow.isOpen) return;
    } while (this.#startNext(session));
    if (this.#flights.size > 0 || this.#plan.isUnderWay) return;
    if (!this.#plan.hasFailed && !this.#agreed) this.#finish(session);
    else if (this.#plan.hasFailed || this.#plan.hasBadHere) this.#retryLater();
  }

  #startNext(session: Session): boolean {
    const repair = this.#plan.takeRepair();
    if (repair !== null) {
      // The application's writes go to the peer already, which has to know what else it lacks.
      if (!this.#started && this.#plan.moreToDo) this.#announce(session);
      this.#startChunk(session, null, { offset: repair.offset, length: repair.length, pull: true });
      return true;
    }
    // What is bad here is no source: extents are copied when that is mended, as far as it can be.
    for (const { active } of this.#flights.values()) if (active === null) return false;
    const piece = this.#plan.nextPiece();
    if (piece === null) return false;
    if (!this.#started) this.#announce(session);
    const { active, range } = piece;
    if (range.length > 0) {
      active.inFlight++;
      this.#startChunk(session, active, { offset: range.offset, length: range.length, pull: active.pull });
    } else if (this.#plan.isDone(active)) {
      this.#copied(active);
    }
    return true;
  }

  #startChunk(
    session: Session,
    active: ActiveExtent | null,
    range: { offset: number; length: number; pull: boolean },
  ): void {
    const slot = this.#flow.started(range.length);
    const chunk = new Chunk(this.#parts, session, range, slot.buffer, this);
    this.#flights.set(chunk, { slot, active });
    chunk.start();
  }

  #announce(session: Session): void {
    this.#tellIncomplete(session);
    this.#started = true;
    this.#progress.started();
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
      this.#reconsider();
      this.#plan.retry();
      this.#pump();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
  }

  #reconsider(): void {
    if (this.#plan.reconsider()) this.#agreed = false;
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
      if (this.#plan.moreToDo) this.#goOn();
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
      if (error === null && !this.#plan.moreToDo) this.#agree(session);
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
    const { log, link } = this.#parts;
    this.#agreed = true;
    this.#retryMs = FIRST_RETRY_MS;
    link.peerHealthy();
    if (this.#toldIncomplete) this.#session?.announce(true);
    this.#toldIncomplete = false;
    this.#flow.freeBuffers();
    if (!this.#started) {
      log.write('info', 'Nodes are in sync.');
    } else {
      this.#started = false;
      this.#progress.complete();
      this.#parts.event('syncdone');
    }
    if (this.#plan.moreToDo) this.#goOn();
    else this.#pump();
  }

  #goOn(): void {
    this.#finishing = false;
    this.#agreed = false;
    this.#plan.startOver();
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
