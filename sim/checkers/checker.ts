/**
 * A judge of one invariant (core/spec/replication.md section 14). It is told what happens, after it happened and before the
 * ledger has drawn its conclusions, and reports what cannot be. It never asks the core.
 */
import type { ResourceEvent, Role } from '../../core/resource/types.js';
import type { NodeName } from '../script/script.js';
import type { Term } from './facts.js';
import type { Ledger } from './ledger.js';
import type { Origins } from './origins.js';
import type { View } from './view.js';

/** A request of the application, from its issue to its answer. */
export interface ClientRequest {
  /** Of all requests of the application, from 1. */
  readonly number: number;
  readonly node: NodeName;
  readonly command: 'read' | 'write' | 'delete' | 'flush';
  readonly block: number;
  readonly count: number;
  /** Number of a write or delete in the ledger; 0 for others. */
  readonly write: number;
  /** WRITE: what is written. READ: what was read, once it is answered. */
  readonly words: Uint32Array | null;
  readonly issuedMs: number;
  /** READ: the ledger's floors of its blocks when it was issued. */
  readonly floors: Float64Array | null;
  /** FLUSH: what had to be on each copy when it was issued. */
  readonly covers: Readonly<Record<NodeName, Int32Array>> | null;
  readonly term: Term | null;
  /** The session of its node at that time, as the ledger counts them; null: not connected. */
  readonly session: number | null;
  /** The session of its node when the worker decided to answer; it may be lost in the same turn. */
  answeredIn: number | null;
  /** Code of the answer; null: success. Undefined: none yet. */
  error: string | null | undefined;
}

export type Report = (text: string, block?: number) => void;

export interface Checker {
  issued?(request: ClientRequest): void;
  answered?(request: ClientRequest): void;
  deviceAppeared?(node: NodeName, forced: boolean): void;
  /** Its outstanding requests were given up just before. */
  deviceVanished?(node: NodeName): void;
  /** A node's disk begins to write; `source` null: a delete. Bytes of the component. */
  diskWriteStarted?(node: NodeName, offset: number, length: number, source: Uint8Array | null): void;
  diskWritten?(node: NodeName, offset: number, length: number): void;
  /** What had started is over: done, failed, or given up with its process. */
  diskWriteEnded?(node: NodeName, offset: number, length: number): void;
  diskFlushed?(node: NodeName): void;
  /** What was not flushed is gone. */
  powerLost?(node: NodeName): void;
  /** A worker of that role announces an event to its main daemon. */
  event?(node: NodeName, role: Role, event: ResourceEvent): void;
  /** An `exec` hook ran: event, resource, ... */
  hook?(node: NodeName, args: readonly string[]): void;
  /** The operator asks for a role; `from` is the one the node has. */
  roleOrdered?(node: NodeName, from: Role, to: Role): void;
  workerStarted?(node: NodeName, role: Role): void;
  /** `orderly`: by its own exit with status 0 or after its session; not by a signal, not with the power. */
  workerEnded?(node: NodeName, orderly: boolean, role: Role): void;
  created?(node: NodeName): void;
  /** The counters on both disks have come to agree, while `primary` has a session: the copies are equal, they say. */
  agreed?(primary: NodeName): void;
  /** In sync, and nothing under way. */
  quiet?(primary: NodeName): void;
  /** Everything has been repaired; from now on things have to come right. */
  healed?(): void;
  /** Some time has gone by, a second at most. */
  passed?(): void;
  /** The run is over. */
  ended?(): void;
}

/** What a judge is made with. */
export interface Bench {
  readonly view: View;
  readonly ledger: Ledger;
  readonly origins: Origins;
  readonly report: Report;
}
