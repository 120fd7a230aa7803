/** What the ledger knows of each copy, each device and each write; what the judges ask it for. */
import type { Role } from '../../core/resource/types.js';
import type { NodeName } from '../script/script.js';

/** Number of a write (or delete), from 1; 0 stands for the disk as it was created. */
export type WriteId = number;

/** Has a node done something alone since the copies were last equal? */
export type Lone = 'no' | 'maybe' | 'acknowledged';

/** One device as the application sees it, from its appearance on. */
export interface Term {
  readonly node: NodeName;
  /** Per block: acknowledged writes issued up to here in this term have overwritten everything that ended before. */
  readonly floor: Float64Array;
  /** Per block: the write that a READ must return, or a newer one, as of the beginning. */
  readonly must: Int32Array;
  /** Per block: the words that the copies held at the beginning; -1: not acceptable. */
  readonly base: readonly [Int32Array, Int32Array];
  /** When the data turned out to be the other node's; READs that were under way may still return the own. */
  rebasedMs: number;
}

export class NodeFacts {
  /** Per block: the newest write that this copy must hold, or the one that made it obsolete. */
  readonly required: Int32Array;
  /** Per block: as `required`, after any power failure. */
  readonly durable: Int32Array;
  /** Per block: 1 if anything was written to it since the copy was created. */
  readonly isWritten: Uint8Array;
  term: Term | null = null;
  lone: Lone = 'no';
  /** This node, primary, has an open session with the other one. */
  connected = false;
  /** Counts the sessions that this node, primary, has installed. */
  session = 0;
  /** The session is as the primary believes: the other machine has not lost its memory since. */
  intact = false;
  /** When its machine lost what was not flushed. */
  powerLostMs = -Infinity;
  /** The other node has the newest data: this copy is the target until the copies agree. */
  behind = false;
  /** The session of this node has data to copy to it. */
  lagging = false;
  /** Must not be used alone: told to be out of date as primary, or written by a synchronisation that has not ended. */
  mixed = false;
  /** What its worker is; null: it has none, or more than one, because a main daemon has died. */
  worker: Role | null = null;
  workers = 0;
  /** Its worker, a secondary's, has answered a handshake. */
  greeted = false;
  /** Its worker belongs to the session that the other node has installed last. */
  attached = false;
  /** Acknowledged in this session, and not seen on the other copy yet. */
  unconfirmed: WriteId[] = [];
  /** memsync: received by this node, as secondary, and not seen on its copy yet. */
  owed: WriteId[] = [];

  constructor(blocks: number) {
    this.required = new Int32Array(blocks);
    this.durable = new Int32Array(blocks);
    this.isWritten = new Uint8Array(blocks);
  }
}

export interface WriteRecord {
  readonly id: WriteId;
  readonly node: NodeName;
  readonly block: number;
  readonly count: number;
  readonly isDelete: boolean;
  readonly term: Term | null;
  /** The session in which it was issued; null: not connected. */
  readonly session: number | null;
  readonly issuedMs: number;
}
