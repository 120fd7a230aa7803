import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { describe, expect, it } from 'vitest';
import type { ResourceConfig } from '../../core/config/types.js';
import {
  decodeRoleReply,
  decodeStatusReply,
  encodeControlError,
  encodeRoleReply,
  encodeStatusReply,
  type StatusReport,
} from '../../core/control/replies.js';
import { ERROR_INVALID, ERROR_NOENTRY } from '../../core/control/requests.js';
import type { WorkerStatus } from '../../core/resource/types.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { nv, type NvPair } from '../../core/wire/nv.js';
import { hex } from '../wire/hex.js';
import { listOf } from '../wire/list-of.js';

const R0: ResourceConfig = {
  name: 'r0',
  provname: 'r0',
  localpath: '/dev/da0',
  remoteaddr: '10.0.0.2',
  sourceaddr: '',
  replication: 'memsync',
  checksum: 'none',
  compression: 'hole',
  timeout: 20,
  exec: '',
  metaflush: true,
  syncrate: DEFAULT_SYNCRATE,
};
const IDLE: StatusReport = { kind: 'status', resource: R0, role: 'init', workerpid: 0, worker: null };
const WORKER: WorkerStatus = {
  status: 'degraded',
  dirty: 2 ** 40,
  extentsize: 2097152,
  keepdirty: 64,
  reads: 1,
  writes: 2,
  deletes: 3,
  flushes: 4,
  activemapUpdates: 5,
  readErrors: 6,
  writeErrors: 7,
  deleteErrors: 8,
  flushErrors: 9,
  idleQueue: 256,
  localQueue: 10,
  sendQueue: 11,
  recvQueue: 12,
  doneQueue: 13,
  remoteErrors: 0,
  syncLeft: 0,
  syncRate: 0,
  localCopy: 'complete',
  exported: true,
};
const BUSY: StatusReport = { ...IDLE, role: 'primary', workerpid: 4711, worker: WORKER };

/** There is something to say in every field of ours. */
const TALKATIVE: WorkerStatus = {
  ...WORKER,
  remoteErrors: 3,
  syncLeft: 4096,
  syncRate: 0,
  localCopy: 'incomplete',
  exported: false,
};

describe('derived examples of the specification', () => {
  const EXAMPLES: [string, NvPair[], string][] = [
    [
      'a name that is not there',
      encodeStatusReply([{ kind: 'error', resource: 'nope', error: ERROR_NOENTRY }]),
      `02 34000000
       11 0a 05000000 | 7265736f757263653000000000000000 | 6e6f706500000000
       03 07 02000000 | 6572726f72300000 | 0100000000000000`,
    ],
    [
      'an invalid request',
      encodeControlError(ERROR_INVALID),
      '02 16000000 03 06 02000000 | 6572726f72000000 | 0200000000000000',
    ],
    [
      'a role that was set',
      encodeRoleReply([{ kind: 'role', resource: 'r0', previous: 'init' }]),
      `02 34000000
       11 0a 03000000 | 7265736f757263653000000000000000 | 7230000000000000
       11 06 05000000 | 726f6c6530000000 | 696e697400000000`,
    ],
    [
      'the status of an idle resource',
      encodeStatusReply([IDLE]),
      `02 16010000
       11 0a 03000000 | 7265736f757263653000000000000000 | 7230000000000000
       11 0a 03000000 | 70726f766e616d653000000000000000 | 7230000000000000
       11 0b 09000000 | 6c6f63616c7061746830000000000000 | 2f6465762f6461300000000000000000
       11 0c 09000000 | 72656d6f746561646472300000000000 | 31302e302e302e320000000000000000
       11 0d 08000000 | 7265706c69636174696f6e3000000000 | 6d656d73796e6300
       11 0a 05000000 | 636865636b73756d3000000000000000 | 6e6f6e6500000000
       11 0d 05000000 | 636f6d7072657373696f6e3000000000 | 686f6c6500000000
       11 06 05000000 | 726f6c6530000000 | 696e697400000000
       05 0b 04000000 | 776f726b657270696430000000000000 | 0000000000000000`,
    ],
  ];
  it.each(EXAMPLES)('%s', (_, pairs, bytes) => {
    expect(encodeFrame(2, pairs)).toEqual(hex(bytes));
  });
});

describe('a status reply', () => {
  it('has the fields of control.md section 5 in their order and types', () => {
    const source: ResourceConfig = { ...R0, sourceaddr: '10.0.0.1' };
    const pairs = encodeStatusReply([IDLE, { ...BUSY, resource: source }]).slice(9);
    expect(pairs.map((pair) => `${pair.type} ${pair.name}`)).toEqual([
      'string resource1',
      'string provname1',
      'string localpath1',
      'string remoteaddr1',
      'string sourceaddr1',
      'string replication1',
      'string checksum1',
      'string compression1',
      'string role1',
      'int32 workerpid1',
      'string status1',
      'uint64 dirty1',
      'uint32 extentsize1',
      'uint32 keepdirty1',
      'uint64 stat_read1',
      'uint64 stat_write1',
      'uint64 stat_delete1',
      'uint64 stat_flush1',
      'uint64 stat_activemap_update1',
      'uint64 stat_read_error1',
      'uint64 stat_write_error1',
      'uint64 stat_delete_error1',
      'uint64 stat_flush_error1',
      'uint64 idle_queue_size1',
      'uint64 local_queue_size1',
      'uint64 send_queue_size1',
      'uint64 recv_queue_size1',
      'uint64 done_queue_size1',
    ]);
  });

  it('adds fields of ours only when there is something to tell', () => {
    expect(encodeStatusReply([{ ...BUSY, worker: TALKATIVE }]).slice(-5)).toEqual([
      nv.uint64('remote_errors0', 3),
      nv.string('localcopy0', 'incomplete'),
      nv.uint64('sync_left0', 4096),
      nv.uint64('sync_rate0', 0),
      nv.uint8('exported0', 0),
    ]);
    const secondary = encodeStatusReply([
      { ...BUSY, role: 'secondary', worker: { ...WORKER, exported: false } },
    ]);
    expect(secondary.at(-1)?.name).toBe('done_queue_size0');
  });

  it('comes back as it was sent, one entry per resource', () => {
    const worker = TALKATIVE;
    const { status, localCopy, exported, ...counters } = worker;
    const reply = decodeStatusReply(
      listOf(encodeStatusReply([IDLE, { kind: 'error', resource: 'x', error: 57 }, { ...BUSY, worker }])),
    );
    expect(reply.error).toBe(0);
    expect(reply.entries).toMatchObject([
      {
        kind: 'status',
        resource: 'r0',
        role: 'init',
        workerpid: 0,
        status: null,
        sourceaddr: null,
        exported: true,
      },
      { kind: 'error', resource: 'x', error: 57 },
      {
        kind: 'status',
        role: 'primary',
        localpath: '/dev/da0',
        workerpid: 4711,
        status,
        counters,
        localCopy,
        exported,
      },
    ]);
  });

  it('says error 0 when there is no resource, which every client takes', () => {
    expect(encodeStatusReply([])).toEqual([nv.int16('error', 0)]);
    expect(encodeRoleReply([])).toEqual([nv.int16('error', 0)]);
    expect(decodeStatusReply(listOf(encodeStatusReply([])))).toEqual({ error: 0, entries: [] });
  });
});

describe('replies of other daemons', () => {
  it('may be empty, or a global error, also behind some resources', () => {
    expect(decodeStatusReply(listOf([]))).toEqual({ error: 0, entries: [] });
    expect(decodeRoleReply(listOf(encodeControlError(57)))).toEqual({ error: 57, entries: [] });
    const partly = decodeStatusReply(listOf([...encodeStatusReply([IDLE]), nv.int16('error', 57)]));
    expect(partly).toMatchObject({ error: 57, entries: [{ resource: 'r0' }] });
  });

  it('read what is missing, or of another type, as nothing', () => {
    const reply = decodeStatusReply(
      listOf([
        nv.string('resource0', 'r0'),
        nv.int32('error0', 5),
        nv.uint32('dirty0', 7),
        nv.string('role0', 'init'),
      ]),
    );
    expect(reply.entries).toMatchObject([
      { kind: 'status', resource: 'r0', role: 'init', localpath: '', status: null, workerpid: 0 },
    ]);
    const [entry] = reply.entries;
    expect(entry?.kind === 'status' && Object.values(entry.counters).every((value) => value === 0)).toBe(
      true,
    );
  });

  it('end with the first missing index', () => {
    const names = [nv.string('resource0', 'a'), nv.string('role0', 'primary'), nv.string('resource2', 'c')];
    expect(decodeRoleReply(listOf(names)).entries).toEqual([
      { kind: 'role', resource: 'a', previous: 'primary' },
    ]);
  });
});
