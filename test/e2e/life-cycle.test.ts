/**
 * What a pair goes through (core/spec/replication.md section 4.1), with real daemons and file components. After each
 * story the device holds what was written last, and both components hold the same.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { NbdClient } from '../../native/nbd/client.js';
import { Cluster } from './cluster.js';
import type { ClusterNode, ClusterOptions } from './cluster.js';

const EXTENT_BYTES = 131_072;
const TIMEOUT_MS = 180_000;

/** What the device must hold; bytes never written are not known (null) unless the nodes must agree on them too. */
class Model {
  readonly bytes = new Uint8Array(8 << 20);

  /** Writes `value` over blocks of 4 KiB, and remembers it. */
  async write(client: NbdClient, firstBlock: number, count: number, value: number): Promise<void> {
    const data = new Uint8Array(count * 4096).fill(value);
    await client.write(firstBlock * 4096, data);
    this.bytes.set(data, firstBlock * 4096);
  }
}

let cluster: Cluster | null = null;

afterEach(async () => {
  await cluster?.close();
  cluster = null;
});

async function pair(
  options: ClusterOptions = {},
): Promise<{ a: ClusterNode; b: ClusterNode; whole: Cluster }> {
  cluster = await Cluster.start({ create: ['-e', String(EXTENT_BYTES)], ...options });
  return { a: cluster.a, b: cluster.b, whole: cluster };
}

/** Device of `primary` and components of both hold `model`; nothing is left to copy. */
async function expectSame(primary: ClusterNode, secondary: ClusterNode, model: Model): Promise<void> {
  await primary.inSync();
  const client = await primary.device();
  await client.flush();
  const expected = Buffer.from(model.bytes.subarray(0, client.mediaSize));
  for (let offset = 0; offset < client.mediaSize; offset += 1 << 20) {
    const length = Math.min(1 << 20, client.mediaSize - offset);
    const read = Buffer.from(await client.read(offset, length));
    expect(read.equals(expected.subarray(offset, offset + length)), `device at ${offset}`).toBe(true);
  }
  await client.disconnect();
  expect((await primary.deviceBytes()).equals(expected), 'component of the primary').toBe(true);
  expect((await secondary.deviceBytes()).equals(expected), 'component of the secondary').toBe(true);
}

async function counts(node: ClusterNode): Promise<[string, string]> {
  const { localcnt = '', remotecnt = '' } = await node.dump();
  return [localcnt, remotecnt];
}

/** `node` writes while the other one is not there. */
async function writeAlone(node: ClusterNode, model: Model, firstBlock: number, value: number): Promise<void> {
  const client = await node.device();
  await model.write(client, firstBlock, 8, value);
  await client.flush();
  await client.disconnect();
}

/** Both in sync, with something on them. */
async function synchronized(a: ClusterNode, b: ClusterNode, model: Model): Promise<void> {
  await b.role('secondary');
  await a.role('primary');
  await a.inSync();
  await writeAlone(a, model, 0, 1);
  await writeAlone(a, model, 100, 2);
  await a.inSync();
}

describe('the life of a pair', { timeout: TIMEOUT_MS }, () => {
  it('both new, nothing written: there is nothing to copy', async () => {
    const { a, b } = await pair();
    await b.role('secondary');
    await a.role('primary');
    await a.inSync();
    await a.logged('Nodes are in sync.');
    await a.role('init');
    expect([await counts(a), await counts(b)]).toEqual([
      ['0', '0'],
      ['0', '0'],
    ]);
    const [resuidA, resuidB] = [(await a.dump())['resuid'], (await b.dump())['resuid']];
    expect(resuidA).toMatch(/^[1-9]\d+$/);
    expect(resuidB).toBe(resuidA);
  });

  it('both new, the primary wrote alone', async () => {
    const { a, b } = await pair();
    const model = new Model();
    await a.role('primary');
    await writeAlone(a, model, 3, 7);
    await b.role('secondary');
    await expectSame(a, b, model);
  });

  it('the primary worked alone for a while', async () => {
    const { a, b } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    await b.role('init');
    await a.logged('Disconnected from');
    await writeAlone(a, model, 50, 3);
    // What was written just before, and not yet flushed on both nodes, may have to be copied again (W15).
    const dirty = Number.parseInt(await a.listed('dirty'), 10) / EXTENT_BYTES;
    expect([1, 2, 3]).toContain(dirty);
    expect(await counts(a)).toEqual(['1', '0']);
    await b.role('secondary');
    await expectSame(a, b, model);
    expect([await counts(a), await counts(b)]).toEqual([
      ['0', '0'],
      ['0', '0'],
    ]);
    // Only what was dirty travelled: requests are 128 KiB.
    expect(Number(await b.listed('writes'))).toBe(dirty);
  });

  it('the secondary got a new disk', async () => {
    const { a, b, whole } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    await b.role('init');
    whole.makeComponent(b, 'r0');
    await b.ok('create', '-e', String(EXTENT_BYTES), 'r0');
    await b.role('secondary');
    await a.role('init');
    await a.role('primary');
    await expectSame(a, b, model);
  });

  it('the primary got a new disk: the other one has to lead', async () => {
    const { a, b, whole } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    await a.role('init');
    whole.makeComponent(a, 'r0');
    await a.ok('create', '-e', String(EXTENT_BYTES), 'r0');
    await a.role('primary');
    await b.logged('Resource unique ID mismatch');
    expect(await a.listed('status')).toBe('degraded');
    // As primary it has made an identity of its own; without one it may follow.
    await a.role('init');
    await a.ok('create', '-e', String(EXTENT_BYTES), 'r0');
    await a.role('secondary');
    await b.role('primary');
    await expectSame(b, a, model);
  });

  it('the primary died, the secondary took over and wrote, the old primary follows', async () => {
    const { a, b } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    await a.kill();
    await b.role('primary');
    await writeAlone(b, model, 100, 9);
    await writeAlone(b, model, 700, 8);
    await a.start();
    await a.role('secondary');
    await expectSame(b, a, model);
  });

  it.each(['', 'checksum crc32 compression lzf', 'checksum sha256 compression none replication async'])(
    'the same, but the old primary leads again and is brought up to date first (%s)',
    async (settings) => {
      const { a, b } = await pair({ settings });
      const model = new Model();
      await synchronized(a, b, model);
      await a.kill();
      await b.role('primary');
      await writeAlone(b, model, 100, 9);
      await writeAlone(b, model, 700, 8);
      await b.role('secondary');
      await a.start();
      await a.role('primary');
      await expectSame(a, b, model);
    },
  );

  it('the promoted node never wrote', async () => {
    const { a, b } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    await a.kill();
    await b.role('primary');
    await (await b.device()).disconnect();
    await a.start();
    await a.role('secondary');
    await expectSame(b, a, model);
    expect(await counts(b)).toEqual(['0', '0']);
  });

  it('both wrote while apart: split-brain, and its repair by hand', async () => {
    const { a, b } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    await b.role('init');
    await a.logged('Disconnected from');
    await writeAlone(a, model, 10, 4);
    await a.kill();
    await b.role('primary');
    await writeAlone(b, new Model(), 20, 5);
    await b.role('secondary');
    await a.start();
    await a.role('primary');
    await a.logged('[WARNING] [r0] (primary) Split-brain condition!');
    await b.logged('[ERROR] [r0] (secondary) Split-brain detected, exiting.');
    expect(await a.listed('status')).toBe('degraded');
    await b.role('init');
    await b.ok('create', '-e', String(EXTENT_BYTES), 'r0');
    await b.role('secondary');
    await a.role('init');
    await a.role('primary');
    await expectSame(a, b, model);
  });

  it('the roles change places while both are there', async () => {
    const { a, b } = await pair();
    const model = new Model();
    await synchronized(a, b, model);
    for (const [next, last, value] of [
      [b, a, 11],
      [a, b, 12],
    ] as const) {
      await last.role('secondary');
      await next.role('primary');
      await writeAlone(next, model, 300, value);
      await expectSame(next, last, model);
    }
  });
});
