/**
 * A history as data: what the world is made of, and what is done to it, step by step. Seeds are turned into scripts, failures
 * are scripts, shrinking makes them shorter, people write them by hand: one form for all of them (text: parse.ts, print.ts).
 */
import type { ChecksumName, CompressionName, ReplicationMode } from '../../core/config/types.js';
import type { Role } from '../../core/resource/types.js';

export type NodeName = 'a' | 'b';

/** Sector of the device, the unit of the application's history. */
export const BLOCK_BYTES = 512;

/** Whose implementation a node runs: ours, or a build of it that behaves as the reference or an older one does. */
export type CoreName = 'own' | 'freebsd-12.1' | 'protocol-1';

/** What the world is made of. */
export interface Setup {
  /** Delays, torn writes, tokens: everything that the script leaves open. */
  readonly seed: number;
  readonly replication: ReplicationMode;
  readonly checksum: ChecksumName;
  readonly compression: CompressionName;
  /** Seconds. */
  readonly timeout: number;
  /** Size of the device. */
  readonly extents: number;
  readonly extentBytes: number;
  readonly keepdirty: Readonly<Record<NodeName, number>>;
  /** Longest READ or WRITE on the wire, bytes. */
  readonly maxRequestBytes: number;
  /** Order of events that are due at the same time. */
  readonly ties: 'sequence' | 'random' | 'priority';
  readonly cores: Readonly<Record<NodeName, CoreName>>;
  /** True: the device outlives a crash of its worker, as with GEOM gate, and the next worker takes it over. */
  readonly takeover: boolean;
  /** True: components are files; reads and writes of a moment are done together, in their order, and told in one turn. */
  readonly cached: boolean;
  /** Bytes per second of a synchronisation, at most; 0: adaptive. */
  readonly syncBytesPerS: number;
}

export const DEFAULT_SETUP: Setup = {
  seed: 1,
  replication: 'fullsync',
  checksum: 'none',
  compression: 'hole',
  timeout: 10,
  extents: 16,
  extentBytes: 8192,
  keepdirty: { a: 2, b: 2 },
  maxRequestBytes: 4096,
  ties: 'sequence',
  cores: { a: 'own', b: 'own' },
  takeover: false,
  cached: false,
  syncBytesPerS: 0,
};

export type DiskOperation = 'read' | 'write' | 'delete' | 'flush';

/** Part of a component: blocks of the user data, or what lies in front of them. */
export type DiskPlace =
  | { readonly kind: 'all' }
  | { readonly kind: 'metadata' }
  | { readonly kind: 'map' }
  | { readonly kind: 'blocks'; readonly block: number; readonly count: number };

/** Packets from `from` to the other node; null: in both directions. */
export type Way = NodeName | null;

export type Request =
  | { readonly kind: 'write'; readonly block: number; readonly count: number; readonly label: string | null }
  | { readonly kind: 'read'; readonly block: number; readonly count: number }
  | { readonly kind: 'delete'; readonly block: number; readonly count: number }
  | { readonly kind: 'flush' };

/** Something that can be waited for or expected; told from outside. */
export type Condition =
  /** The nodes are connected, quiet, and their disks say that the copies are equal. */
  | { readonly kind: 'in-sync' }
  | { readonly kind: 'device'; readonly node: NodeName | null; readonly present: boolean }
  | { readonly kind: 'role'; readonly node: NodeName; readonly role: Role }
  | { readonly kind: 'worker'; readonly node: NodeName; readonly present: boolean }
  | { readonly kind: 'connected'; readonly present: boolean }
  /** Every request has its answer. */
  | { readonly kind: 'idle' }
  /** An `exec` hook ran with this event on that node since the last step that did something. */
  | { readonly kind: 'event'; readonly node: NodeName; readonly event: string }
  /** A line of the node's log since the last step that did something contains the text. */
  | { readonly kind: 'log'; readonly node: NodeName; readonly text: string }
  | { readonly kind: 'incomplete'; readonly node: NodeName; readonly present: boolean }
  /** The counters in the metadata of the node. */
  | { readonly kind: 'counts'; readonly node: NodeName; readonly local: number; readonly remote: number };

export type Expectation =
  | Condition
  /** A block of the copy on `node`, or on both, holds what was written under that label (`zero`: deleted or never written). */
  | {
      readonly kind: 'block';
      readonly node: NodeName | null;
      readonly block: number;
      readonly label: string;
    }
  /** What a READ of the device answers, or `error`. */
  | { readonly kind: 'read'; readonly block: number; readonly label: string }
  /** Both copies hold the same. */
  | { readonly kind: 'equal' }
  /** The last answered request failed, or succeeded. */
  | { readonly kind: 'answer'; readonly ok: boolean }
  /** So often since the world began. */
  | { readonly kind: 'count'; readonly node: NodeName; readonly event: string; readonly times: number };

export type Action =
  /** An application's request, to the device of `node`; null: to whichever device there is. */
  | { readonly kind: 'request'; readonly node: NodeName | null; readonly request: Request }
  // The operator.
  | { readonly kind: 'create'; readonly node: NodeName }
  /** The main daemon starts; every role is init. */
  | { readonly kind: 'start'; readonly node: NodeName }
  /** Orderly end of the main daemon and its workers. */
  | { readonly kind: 'stop'; readonly node: NodeName }
  | { readonly kind: 'role'; readonly node: NodeName; readonly role: Role; readonly force: boolean }
  | { readonly kind: 'reload'; readonly node: NodeName | null; readonly replication: ReplicationMode }
  // Processes and power.
  | { readonly kind: 'kill'; readonly node: NodeName; readonly what: 'worker' | 'daemon' | 'all' }
  | {
      readonly kind: 'pause';
      readonly node: NodeName;
      readonly what: 'worker' | 'daemon' | 'all';
      readonly ms: number;
    }
  | { readonly kind: 'power'; readonly node: NodeName; readonly on: boolean }
  // The network.
  | { readonly kind: 'cut'; readonly from: Way }
  /** Silence after so many more bytes from that node: in the middle of a message. */
  | {
      readonly kind: 'cut-after';
      readonly from: NodeName;
      readonly bytes: number;
      readonly how: 'silence' | 'reset';
    }
  /** One of the connections, counted from the oldest that is open: cut in one direction. */
  | { readonly kind: 'cut-channel'; readonly from: NodeName; readonly channel: number }
  | { readonly kind: 'mend'; readonly from: Way }
  | { readonly kind: 'mend-channel'; readonly from: NodeName; readonly channel: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'refuse'; readonly node: NodeName; readonly on: boolean }
  | { readonly kind: 'latency'; readonly from: Way; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'bandwidth'; readonly from: Way; readonly bytesPerMs: number }
  /** One packet in eight takes up to so much longer; 0: none does. */
  | { readonly kind: 'spikes'; readonly from: Way; readonly ms: number }
  /** What arrives is noticed at multiples of this only, and read as one; 0: at once. */
  | { readonly kind: 'batch'; readonly from: Way; readonly ms: number }
  /** Every burst travels in pieces, not only some. */
  | { readonly kind: 'fragment'; readonly from: Way; readonly on: boolean }
  /** FIN and RST of that node's closes arrive late. */
  | { readonly kind: 'delay-close'; readonly from: NodeName; readonly ms: number }
  /** The node's address changes; both configurations follow with a reload. */
  | { readonly kind: 'move'; readonly node: NodeName }
  // Disks.
  | {
      readonly kind: 'fail';
      readonly node: NodeName;
      readonly operation: DiskOperation;
      readonly code: 'EIO' | 'ENOSPC' | 'EOPNOTSUPP';
      /** How often; null: until repaired, or, where blocks cannot be read, until they are written. */
      readonly times: number | null;
      readonly place: DiskPlace;
    }
  | {
      readonly kind: 'slow';
      readonly node: NodeName;
      readonly operation: DiskOperation;
      readonly delayMs: number;
    }
  /** Operations begin and do not end, until repaired. */
  | { readonly kind: 'stick'; readonly node: NodeName }
  /** Flushes succeed and do nothing, until repaired. */
  | { readonly kind: 'lie'; readonly node: NodeName }
  | { readonly kind: 'corrupt'; readonly node: NodeName; readonly block: number; readonly bit: number | null }
  /** A bit in front of the user data. */
  | {
      readonly kind: 'damage';
      readonly node: NodeName;
      readonly place: 'metadata' | 'map';
      readonly bit: number;
    }
  | { readonly kind: 'misdirect'; readonly node: NodeName; readonly block: number; readonly to: number }
  | { readonly kind: 'shorten'; readonly node: NodeName; readonly blocks: number }
  | { readonly kind: 'snapshot'; readonly node: NodeName }
  /** The disk is what it was at the last snapshot. */
  | { readonly kind: 'restore'; readonly node: NodeName }
  | { readonly kind: 'repair'; readonly node: NodeName | null }
  // The course of events.
  | { readonly kind: 'nothing' }
  /** Not in time: the script has failed. */
  | { readonly kind: 'until'; readonly condition: Condition; readonly withinMs: number }
  /** The same, but not in time is no failure: a seed cannot know what the nodes will be able to do. */
  | { readonly kind: 'await'; readonly condition: Condition; readonly withinMs: number }
  /** Everything is repaired and switched on, links and disks; roles stay. */
  | { readonly kind: 'heal' }
  /** Heals, gives every node its role again, recreates the loser of a split-brain, and waits until the nodes are in sync. */
  | { readonly kind: 'settle' }
  | { readonly kind: 'expect'; readonly expectation: Expectation };

/** When a step is taken: so long after the one before, or so long after the world began (at once when that is past). */
export type When =
  { readonly kind: 'after'; readonly ms: number } | { readonly kind: 'at'; readonly ms: number };

export interface Step {
  readonly when: When;
  readonly action: Action;
}

export interface Script {
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

export function otherNode(node: NodeName): NodeName {
  return node === 'a' ? 'b' : 'a';
}

/** `pair[node]`, and several times as fast: what judges do for every block they look at. */
export function ofNode<T>(pair: Readonly<Record<NodeName, T>>, node: NodeName): T {
  return node === 'a' ? pair.a : pair.b;
}
