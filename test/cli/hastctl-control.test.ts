import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../../cli/hastctl/control-client.js';
import { encodeControlError, encodeRoleReply, encodeStatusReply } from '../../core/control/replies.js';
import type { StatusReport } from '../../core/control/replies.js';
import { decodeControlRequest } from '../../core/control/requests.js';
import { isPortError } from '../../core/ports/error.js';
import type { WorkerStatus } from '../../core/resource/types.js';
import { encodeFrame, HEADER_BYTES } from '../../core/wire/frame.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import type { NvPair } from '../../core/wire/nv.js';
import { runHastctl } from './run-hastctl.js';
import type { Ending } from './run-hastctl.js';

let folder = '';
let control = '';
let server: Server | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-control-'));
  control = join(folder, 'ctl');
});
afterEach(() => {
  server?.close();
  server = null;
  rmSync(folder, { recursive: true });
});

function run(command: string, address = control): Promise<Ending> {
  return runHastctl(command.split(' '), { folder, control: address, components: {} });
}

/** A daemon that does `serve` with each connection's first bytes. */
async function listen(serve: (socket: Socket, request: Uint8Array) => void): Promise<void> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request) => serve(socket, request));
  });
  await new Promise<void>((resolve) => server?.listen(control, resolve));
}

function replyWith(pairs: readonly NvPair[]): Promise<void> {
  return listen((socket) => socket.end(encodeFrame(2, pairs)));
}

const counters = {
  dirty: 4_194_304,
  extentsize: 2_097_152,
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
  idleQueue: 250,
  localQueue: 10,
  sendQueue: 11,
  recvQueue: 12,
  doneQueue: 13,
  remoteErrors: 14,
  syncLeft: 0,
  syncRate: 0,
};
const worker: WorkerStatus = { status: 'degraded', ...counters, localCopy: 'complete', exported: true };
const report: StatusReport = {
  kind: 'status',
  resource: {
    name: 'r0',
    provname: 'p0',
    localpath: '/dev/da0',
    remoteaddr: 'tcp4://10.0.0.2',
    sourceaddr: 'tcp4://10.0.0.1',
    replication: 'async',
    checksum: 'sha256',
    compression: 'lzf',
    timeout: 20,
    exec: '',
    metaflush: true,
    syncrate: DEFAULT_SYNCRATE,
  },
  role: 'primary',
  workerpid: 24_065,
  worker,
};

const LIST = `r0:
  role: primary
  provname: p0
  localpath: /dev/da0
  extentsize: 2097152 (2.0MB)
  keepdirty: 64
  remoteaddr: tcp4://10.0.0.2
  sourceaddr: tcp4://10.0.0.1
  replication: async
  status: degraded
  workerpid: 24065
  dirty: 4194304 (4.0MB)
  statistics:
    reads: 1
    writes: 2
    deletes: 3
    flushes: 4
    activemap updates: 5
    local errors: read: 6, write: 7, delete: 8, flush: 9
    queues: local: 10, send: 11, recv: 12, done: 13, idle: 250
`;

describe('status and list', () => {
  test('every line of a listing', async () => {
    await replyWith(encodeStatusReply([report]));
    expect(await run('list')).toEqual({ exit: 0, stdout: LIST, stderr: '' });
  });

  test('the first error of a resource is the exit status', async () => {
    const errors = [57, 1].map((error) => ({ kind: 'error' as const, resource: `e${error}`, error }));
    await replyWith(encodeStatusReply([report, ...errors]));
    expect(await run('status r0 e57 e1')).toEqual({
      exit: 57,
      stdout:
        'Name\tStatus\t Role\t\tComponents\nr0\tdegraded primary        /dev/da0\ttcp4://10.0.0.2\ne57\tERR57\ne1\tERR1\n',
      stderr: '',
    });
    expect((await run('list')).stdout).toBe(`${LIST}e57:\n  error: 57\ne1:\n  error: 1\n`);
  });

  test.each([
    [2 ** 24, '1.0GB to go (16MB/sec), 1m4s left'],
    [0, '1.0GB to go (0B/sec)'],
  ])(
    'a synchronisation of %i bytes per second has a line of its own in a listing',
    async (syncRate, line) => {
      await replyWith(encodeStatusReply([{ ...report, worker: { ...worker, syncLeft: 2 ** 30, syncRate } }]));
      expect((await run('list')).stdout).toBe(
        LIST.replace(/( {2}status: .*\n)/, `$1  synchronization: ${line}\n`),
      );
    },
  );

  test('an incomplete copy is told beside unchanged lines (W8)', async () => {
    await replyWith(
      encodeStatusReply([{ ...report, worker: { ...worker, localCopy: 'incomplete', exported: false } }]),
    );
    const warning =
      '[WARNING] [r0] Local copy is incomplete: no device is offered until the node with the newer data connects ' +
      "('hastctl role -f primary r0' offers it as it is).\n";
    const status = await run('status');
    expect(status.stdout).toContain('r0\tdegraded primary        /dev/da0\ttcp4://10.0.0.2\n');
    expect(status).toMatchObject({ exit: 0, stderr: warning });
    const list = await run('list');
    expect(list.stdout).toBe(LIST.replace(/( {2}status: .*\n)/, '$1  localcopy: incomplete\n'));
    expect(list.stderr).toBe(warning);
  });

  test('a secondary with an incomplete copy, a primary that waits with a complete one', async () => {
    const secondary = {
      ...report,
      role: 'secondary' as const,
      worker: { ...worker, localCopy: 'incomplete' as const },
    };
    await replyWith(encodeStatusReply([secondary, { ...report, worker: { ...worker, exported: false } }]));
    expect((await run('status')).stderr.split('\n')).toEqual([
      '[WARNING] [r0] Local copy is incomplete.',
      expect.stringContaining('[WARNING] [r0] Local copy may be outdated: no device is offered until'),
      '',
    ]);
  });

  test('no resources: nothing is printed, whichever empty reply a daemon has', async () => {
    await replyWith(encodeStatusReply([]));
    expect(await run('status')).toEqual({ exit: 0, stdout: '', stderr: '' });
    server?.close();
    await listen((socket) => socket.end(Uint8Array.of(2, 0, 0, 0, 0)));
    expect(await run('status')).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(await run('list')).toEqual({ exit: 0, stdout: '', stderr: '' });
  });

  test('--json has every field, the same ones for every resource', async () => {
    const idle: StatusReport = { ...report, role: 'init', workerpid: 0, worker: null };
    await replyWith(encodeStatusReply([report, idle, { kind: 'error', resource: 'x', error: 1 }]));
    const { exit, stdout } = await run('list --json');
    expect(exit).toBe(1);
    const { resources } = JSON.parse(stdout) as { resources: Record<string, unknown>[] };
    expect(resources[0]).toEqual({
      resource: 'r0',
      provname: 'p0',
      localpath: '/dev/da0',
      remoteaddr: 'tcp4://10.0.0.2',
      sourceaddr: 'tcp4://10.0.0.1',
      replication: 'async',
      checksum: 'sha256',
      compression: 'lzf',
      role: 'primary',
      workerpid: 24_065,
      status: 'degraded',
      localCopy: 'complete',
      exported: true,
      ...counters,
    });
    expect(Object.keys(resources[1] ?? {})).toEqual(Object.keys(resources[0] ?? {}));
    expect(resources[1]).toMatchObject({ status: null, workerpid: 0, dirty: 0 });
    expect(resources[2]).toEqual({ resource: 'x', error: 1 });
  });

  test('a global error hides everything', async () => {
    await replyWith(encodeControlError(57));
    const stderr = '[ERROR] Error 57 received from hastd.\n';
    expect(await run('status')).toEqual({ exit: 70, stdout: '', stderr });
    expect(await run('role init all')).toEqual({ exit: 70, stdout: '', stderr });
  });
});

describe('role', () => {
  test('asks for what was said', async () => {
    const requests: unknown[] = [];
    await listen((socket, request) => {
      const list = decodeNv(request.subarray(HEADER_BYTES));
      requests.push(isPortError(list) ? list : decodeControlRequest(list));
      socket.end(encodeFrame(2, encodeRoleReply([])));
    });
    await run('role primary a b');
    await run('role -f primary a');
    await run('role init all ignored');
    await run('role secondary a all');
    expect(requests).toEqual([
      { kind: 'setrole', role: 'primary', force: false, names: ['a', 'b'] },
      { kind: 'setrole', role: 'primary', force: true, names: ['a'] },
      { kind: 'setrole', role: 'init', force: false, names: 'all' },
      { kind: 'setrole', role: 'secondary', force: false, names: ['a', 'all'] },
    ]);
  });

  test('says what changed if asked to, and warns of errors', async () => {
    await replyWith(
      encodeRoleReply([
        { kind: 'role', resource: 'a', previous: 'init' },
        { kind: 'role', resource: 'b', previous: 'primary' },
        { kind: 'error', resource: 'c', error: 1 },
      ]),
    );
    const stderr = '[WARNING] [c] Received error 1 from hastd.\n';
    const changed = '[DEBUG][1] [a] Role changed from init to primary.\n';
    const unchanged = '[DEBUG][2] [b] Role unchanged (primary).\n';
    expect(await run('role primary a b c')).toEqual({ exit: 1, stdout: '', stderr });
    expect(await run('role -d primary a b c')).toEqual({ exit: 1, stdout: changed, stderr });
    expect(await run('role -dd primary a b c')).toEqual({ exit: 1, stdout: changed + unchanged, stderr });
  });
});

describe('a daemon that does not answer well', () => {
  test.each([
    ['closes at once', []],
    ['closes in the header', [2, 22, 0]],
    ['closes in the list', [2, 22, 0, 0, 0, 1]],
  ])('%s', async (_, bytes) => {
    await listen((socket) => socket.end(Uint8Array.from(bytes)));
    const text = 'the connection was closed before the reply was complete';
    expect(await run('status')).toEqual({
      exit: 69,
      stdout: '',
      stderr: `[ERROR] cannot receive reply from hastd via ${control}: ${text}.\n`,
    });
  });

  test.each([
    ['a newer protocol', [3, 0, 0, 0, 0], 'protocol version 3 is not known'],
    ['an absurd length', [2, 0, 0, 0, 0x40], 'a list of 1073741824 bytes is too long'],
    ['noise', [2, 8, 0, 0, 0, 99, 99, 99, 99, 99, 99, 99, 99], 'nv list, pair at byte 0:'],
  ])('%s', async (_, bytes, why) => {
    await listen((socket) => socket.write(Uint8Array.from(bytes)));
    const { exit, stderr } = await run('status');
    expect(exit).toBe(69);
    expect(stderr).toContain(`[ERROR] cannot receive reply from hastd via ${control}: ${why}`);
  });

  test('a reply in many pieces is one reply', async () => {
    await listen((socket) => {
      const bytes = encodeFrame(2, encodeStatusReply([report]));
      const next = (at: number): void => {
        if (at < bytes.length) socket.write(bytes.subarray(at, at + 100), () => setImmediate(next, at + 100));
      };
      next(0);
    });
    expect(await run('list')).toEqual({ exit: 0, stdout: LIST, stderr: '' });
  });

  test('silence has an end', async () => {
    await listen(() => undefined);
    const asked = ask(control, { kind: 'status', names: 'all' }, { connectMs: 10_000, replyMs: 50 });
    await expect(asked).rejects.toMatchObject({
      exitCode: 69,
      message: `cannot receive reply from hastd via ${control}: Operation timed out.`,
    });
  });

  test.each([
    ['tcp4://127.0.0.1:8457', 'Invalid argument'],
    ['localhost', 'Invalid argument'],
    [`/${'x'.repeat(200)}`, 'File name too long'],
  ])('control %s cannot be', async (address, why) => {
    expect(await run('status', address)).toEqual({
      exit: 71,
      stdout: '',
      stderr: `[ERROR] Unable to setup control connection to ${address}: ${why}.\n`,
    });
  });
});

test('waits for its turn when many ask at once', async () => {
  server = createServer((socket) => {
    socket.once('data', () => socket.end(encodeFrame(2, encodeStatusReply([report]))));
  });
  await new Promise<void>((resolve) => server?.listen({ path: control, backlog: 2 }, resolve));
  const asking = Array.from({ length: 30 }, () => ask(control, { kind: 'status', names: 'all' }));
  await expect(Promise.all(asking)).resolves.toHaveLength(30);
});
