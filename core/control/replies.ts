/**
 * What hastd answers (core/spec/control.md sections 3 to 5), composed by the daemon and read by hastctl. Every field
 * carries the index of its resource. Unlike the reference, a resource whose worker does not answer has its own error
 * and hides no other, and a reply about no resource at all says `error` 0 instead of nothing.
 */
import type { ResourceConfig } from '../config/types.js';
import type { Role, WorkerStatus } from '../resource/types.js';
import type { NvList } from '../wire/nv-list.js';
import { nv, type NvPair } from '../wire/nv.js';

/** A resource that is not there, or cannot tell; `error` is not 0. */
export interface ResourceError {
  readonly kind: 'error';
  readonly resource: string;
  readonly error: number;
}

/** SETROLE: the role that a resource had before. */
export interface RoleReport {
  readonly kind: 'role';
  readonly resource: string;
  readonly previous: Role;
}

/** STATUS, as the daemon knows it. */
export interface StatusReport {
  readonly kind: 'status';
  readonly resource: ResourceConfig;
  readonly role: Role;
  /** 0: no worker. */
  readonly workerpid: number;
  /** Null: no worker to ask. */
  readonly worker: WorkerStatus | null;
}

/** The numbers of a worker's status. */
type WorkerCounters = Omit<WorkerStatus, 'status' | 'localCopy' | 'exported'>;

/** STATUS, as a client reads it: what the daemon did not send is '', 0 or null. */
export interface StatusEntry {
  readonly kind: 'status';
  readonly resource: string;
  readonly provname: string;
  readonly localpath: string;
  readonly remoteaddr: string;
  /** Null: not configured. */
  readonly sourceaddr: string | null;
  readonly replication: string;
  readonly checksum: string;
  readonly compression: string;
  readonly role: string;
  readonly workerpid: number;
  /** `complete`, `degraded`; null: no worker runs. */
  readonly status: string | null;
  readonly counters: WorkerCounters;
  /** Ours (W8). */
  readonly localCopy: 'complete' | 'incomplete';
  /** Ours (W8): false when a primary offers no device. */
  readonly exported: boolean;
}

/** SETROLE, as a client reads it. */
export interface RoleEntry {
  readonly kind: 'role';
  readonly resource: string;
  readonly previous: string;
}

export interface ControlReply<Entry> {
  /** Global error; not 0: the request failed as a whole. */
  readonly error: number;
  readonly entries: readonly (Entry | ResourceError)[];
}

/** Wire name and type of each number, in the order of the reply. */
const COUNTERS: readonly (readonly [keyof WorkerCounters, string, 'uint32' | 'uint64'])[] = [
  ['dirty', 'dirty', 'uint64'],
  ['extentsize', 'extentsize', 'uint32'],
  ['keepdirty', 'keepdirty', 'uint32'],
  ['reads', 'stat_read', 'uint64'],
  ['writes', 'stat_write', 'uint64'],
  ['deletes', 'stat_delete', 'uint64'],
  ['flushes', 'stat_flush', 'uint64'],
  ['activemapUpdates', 'stat_activemap_update', 'uint64'],
  ['readErrors', 'stat_read_error', 'uint64'],
  ['writeErrors', 'stat_write_error', 'uint64'],
  ['deleteErrors', 'stat_delete_error', 'uint64'],
  ['flushErrors', 'stat_flush_error', 'uint64'],
  ['idleQueue', 'idle_queue_size', 'uint64'],
  ['localQueue', 'local_queue_size', 'uint64'],
  ['sendQueue', 'send_queue_size', 'uint64'],
  ['recvQueue', 'recv_queue_size', 'uint64'],
  ['doneQueue', 'done_queue_size', 'uint64'],
];
/** Ours, absent while 0: the reply is the reference's as long as there is nothing to add. */
const REMOTE_ERRORS = 'remote_errors';
const SYNC_LEFT = 'sync_left';
const SYNC_RATE = 'sync_rate';

/** The reply to an invalid request. */
export function encodeControlError(error: number): NvPair[] {
  return [nv.int16('error', error)];
}

export function encodeRoleReply(reports: readonly (RoleReport | ResourceError)[]): NvPair[] {
  return encodeReply(reports, (report, i) => [
    nv.string(`resource${i}`, report.resource),
    nv.string(`role${i}`, report.previous),
  ]);
}

export function encodeStatusReply(reports: readonly (StatusReport | ResourceError)[]): NvPair[] {
  return encodeReply(reports, (report, i) => [
    ...resourcePairs(report, i),
    ...(report.worker === null ? [] : workerPairs(report.worker, report.role, i)),
  ]);
}

export function decodeRoleReply(list: NvList): ControlReply<RoleEntry> {
  return decodeReply(list, (resource, i) => ({
    kind: 'role',
    resource,
    previous: list.string(`role${i}`) ?? '',
  }));
}

export function decodeStatusReply(list: NvList): ControlReply<StatusEntry> {
  return decodeReply(list, (resource, i) => ({
    kind: 'status',
    resource,
    provname: list.string(`provname${i}`) ?? '',
    localpath: list.string(`localpath${i}`) ?? '',
    remoteaddr: list.string(`remoteaddr${i}`) ?? '',
    sourceaddr: list.string(`sourceaddr${i}`),
    replication: list.string(`replication${i}`) ?? '',
    checksum: list.string(`checksum${i}`) ?? '',
    compression: list.string(`compression${i}`) ?? '',
    role: list.string(`role${i}`) ?? '',
    workerpid: list.number(`workerpid${i}`, 'int32') ?? 0,
    status: list.string(`status${i}`),
    counters: countersIn(list, i),
    localCopy: list.string(`localcopy${i}`) === 'incomplete' ? 'incomplete' : 'complete',
    exported: list.number(`exported${i}`, 'uint8') !== 0,
  }));
}

function encodeReply<Report extends { readonly kind: string }>(
  reports: readonly (Report | ResourceError)[],
  pairsOf: (report: Report, index: number) => NvPair[],
): NvPair[] {
  if (reports.length === 0) return encodeControlError(0);
  return reports.flatMap((report, i) =>
    isResourceError(report)
      ? [nv.string(`resource${i}`, report.resource), nv.int16(`error${i}`, report.error)]
      : pairsOf(report, i),
  );
}

function isResourceError(report: { readonly kind: string }): report is ResourceError {
  return report.kind === 'error';
}

function resourcePairs({ resource, role, workerpid }: StatusReport, i: number): NvPair[] {
  return [
    nv.string(`resource${i}`, resource.name),
    nv.string(`provname${i}`, resource.provname),
    nv.string(`localpath${i}`, resource.localpath),
    nv.string(`remoteaddr${i}`, resource.remoteaddr),
    ...(resource.sourceaddr === '' ? [] : [nv.string(`sourceaddr${i}`, resource.sourceaddr)]),
    nv.string(`replication${i}`, resource.replication),
    nv.string(`checksum${i}`, resource.checksum),
    nv.string(`compression${i}`, resource.compression),
    nv.string(`role${i}`, role),
    nv.int32(`workerpid${i}`, workerpid),
  ];
}

function workerPairs(worker: WorkerStatus, role: Role, i: number): NvPair[] {
  return [
    nv.string(`status${i}`, worker.status),
    ...COUNTERS.map(([key, name, type]) => nv[type](`${name}${i}`, worker[key])),
    ...(worker.remoteErrors === 0 ? [] : [nv.uint64(`${REMOTE_ERRORS}${i}`, worker.remoteErrors)]),
    ...(worker.localCopy === 'complete' ? [] : [nv.string(`localcopy${i}`, worker.localCopy)]),
    ...(worker.syncLeft === 0
      ? []
      : [nv.uint64(`${SYNC_LEFT}${i}`, worker.syncLeft), nv.uint64(`${SYNC_RATE}${i}`, worker.syncRate)]),
    ...(role === 'primary' && !worker.exported ? [nv.uint8(`exported${i}`, 0)] : []),
  ];
}

/** The first missing `resource<i>` ends the reply; none at all is a reply about nothing. */
function decodeReply<Entry>(
  list: NvList,
  entryOf: (resource: string, index: number) => Entry,
): ControlReply<Entry> {
  const entries: (Entry | ResourceError)[] = [];
  for (let i = 0; ; i++) {
    const resource = list.string(`resource${i}`);
    if (resource === null) break;
    const error = list.number(`error${i}`, 'int16') ?? 0;
    entries.push(error === 0 ? entryOf(resource, i) : { kind: 'error', resource, error });
  }
  return { error: list.number('error', 'int16') ?? 0, entries };
}

function countersIn(list: NvList, i: number): WorkerCounters {
  const read = (name: string, type: 'uint32' | 'uint64'): number =>
    (type === 'uint32' ? list.number(`${name}${i}`, type) : list.safeInteger(`${name}${i}`, type)) ?? 0;
  const counters = COUNTERS.map(([key, name, type]) => [key, read(name, type)] as const);
  return {
    ...(Object.fromEntries(counters) as unknown as WorkerCounters),
    remoteErrors: read(REMOTE_ERRORS, 'uint64'),
    syncLeft: read(SYNC_LEFT, 'uint64'),
    syncRate: read(SYNC_RATE, 'uint64'),
  };
}
