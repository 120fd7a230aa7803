/**
 * What people do with a HAST device, on real daemons: clients of NBD write to a primary while its secondary dies and
 * returns, while its own worker dies, and after a failover.
 */
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Cluster, eventually } from '../e2e/cluster.js';
import type { ClusterNode } from '../e2e/cluster.js';
import { canRun, ended, output, start } from './nbd-clients-tools.js';

const MIB = 1 << 20;
const MEDIA_BYTES = 96 * MIB;

let cluster: Cluster;

afterEach(async () => {
  await cluster.close();
});

/** A pair in sync: `a` is primary, `b` secondary. */
async function startPair(settings = 'replication fullsync'): Promise<void> {
  cluster = await Cluster.start({ mediaSize: MEDIA_BYTES, settings: `timeout 5\n  ${settings}` });
  await cluster.b.role('secondary');
  await cluster.a.role('primary');
  await inSync(cluster.a);
  await (await cluster.a.device()).disconnect();
}

function socketOf(node: ClusterNode): string {
  return join(node.folder, 'hast', 'r0');
}

function uriOf(node: ClusterNode): string {
  return `nbd+unix:///?socket=${socketOf(node)}`;
}

async function inSync(primary: ClusterNode): Promise<void> {
  await eventually(
    `nodes to be in sync\n${primary.log}`,
    async () => {
      const listing = await primary.ok('list', 'r0');
      if (listing.includes('status: complete') && listing.includes('dirty: 0 ')) return true;
      throw new Error(listing);
    },
    60_000,
  );
}

/** SHA-256 of the user data on a node's component. */
async function digestOf(node: ClusterNode): Promise<string> {
  const offset = /^ +localoff: (\d+)/m.exec(await node.ok('dump', 'r0'))?.[1];
  return createHash('sha256')
    .update(node.data('r0', Number(offset)))
    .digest('hex');
}

async function expectEqualNodes(): Promise<void> {
  await inSync(cluster.a);
  expect(await digestOf(cluster.b)).toBe(await digestOf(cluster.a));
}

/** Waits for so many WRITEs since the start of the primary's worker. */
async function written(node: ClusterNode, writes: number): Promise<void> {
  await eventually(`${writes.toString()} writes`, async () => Number(await node.listed('writes')) >= writes);
}

async function returnOf(secondary: ClusterNode): Promise<void> {
  await secondary.start();
  await secondary.role('secondary');
}

/** KILL to the worker of the only resource; resolves when its successor is there. */
async function killWorker(node: ClusterNode): Promise<void> {
  const [pid = 0] = node.workers();
  process.kill(pid, 'SIGKILL');
  await eventually('another worker', () => node.workers().some((other) => other !== pid));
}

describe.runIf(canRun('libnbd and the daemons', ['nbdinfo', 'nbdcopy']))('libnbd', () => {
  it('nbdinfo and nbdcopy: what was written is read back, and is on both nodes', async () => {
    await startPair();
    const uri = uriOf(cluster.a);
    expect(JSON.parse(await output('nbdinfo', '--json', uri))).toMatchObject({
      protocol: 'newstyle-fixed',
      exports: [{ is_read_only: false, can_flush: true, can_fua: true, can_trim: true, can_zero: true }],
    });
    const size = Number(await output('nbdinfo', '--size', uri));
    expect(size).toBe(Number(/datasize: (\d+)/.exec(await cluster.a.ok('dump', 'r0'))?.[1]));

    const [source, copy] = [join(cluster.folder, 'source'), join(cluster.folder, 'copy')];
    writeFileSync(source, Buffer.concat([randomBytes(64 * MIB), Buffer.alloc(size - 64 * MIB)]));
    await output('nbdcopy', '--flush', source, uri);
    await output('nbdcopy', uri, copy);
    expect(readFileSync(copy).equals(readFileSync(source))).toBe(true);
    await expectEqualNodes();
  });
});

describe.runIf(canRun('qemu and the daemons', ['qemu-io']))('qemu', () => {
  it('qemu-io writes, zeroes, discards and forces to the medium, on both nodes', async () => {
    await startPair('replication memsync');
    const commands = [
      'write -P 1 0 8M',
      'write -f -P 2 8M 1M',
      'write -z 1M 2M',
      'discard 4M 1M',
      'aio_write -P 3 16M 8M',
      'aio_write -P 4 20M 8M',
      'aio_flush',
      'flush',
      'read -P 1 0 1M',
      'read -P 0 1M 2M',
      'read -P 1 3M 1M',
      'read -P 2 8M 1M',
    ];
    const args = commands.flatMap((command) => ['-c', command]);
    const printed = await output('qemu-io', '-f', 'raw', ...args, uriOf(cluster.a));
    expect(printed).not.toMatch(/failed|error|verification/i);
    await expectEqualNodes();
  });

  it('a guest with reconnect-delay does not notice that the worker was killed', async () => {
    await startPair();
    const image = `driver=nbd,server.type=unix,server.path=${socketOf(cluster.a)},reconnect-delay=60`;
    const qemu = start('qemu-io', '--image-opts', image);
    let printed = '';
    qemu.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const say = async (command: string, answer: RegExp): Promise<void> => {
      const from = printed.length;
      qemu.stdin?.write(`${command}\n`);
      await eventually(`the answer to ${command}`, () => answer.test(printed.slice(from)), 60_000);
    };
    await say('write -P 1 0 1M', /wrote 1048576/);
    await killWorker(cluster.a);
    await say('write -P 2 1M 1M', /wrote 1048576/);
    await say('read -P 1 0 1M', /read 1048576/);
    await say('read -P 2 1M 1M', /read 1048576/);
    await say('flush', /qemu-io> /);
    qemu.stdin?.end('quit\n');
    expect(await ended(qemu)).toBe(0);
    expect(printed).not.toMatch(/failed|error|verification/i);
    await expectEqualNodes();
  });
});

/** About 8 s of random writes that are read back and checked at the end. */
function fioWork(uri: string): readonly string[] {
  const work = [
    '--rw=randwrite',
    '--bsrange=4k-128k',
    '--iodepth=16',
    '--size=64m',
    '--rate=8m',
    '--fsync=64',
  ];
  const verify = ['--verify=crc32c', '--verify_fatal=1', '--do_verify=1', '--verify_state_save=0'];
  return ['--name=v', '--ioengine=nbd', `--uri=${uri}`, ...work, ...verify];
}

describe.runIf(canRun('fio and the daemons', ['fio']))('fio', () => {
  it.each(['fullsync', 'memsync', 'async'])(
    'verifies its writes in %s while the secondary is killed and returns; then both nodes are equal',
    async (mode) => {
      await startPair(`replication ${mode}\n  checksum crc32\n  compression lzf`);
      const fio = output('fio', ...fioWork(uriOf(cluster.a)));
      await written(cluster.a, 200);
      await cluster.b.kill();
      const before = Number(await cluster.a.listed('writes'));
      await written(cluster.a, before + 200);
      await returnOf(cluster.b);
      await fio;
      await expectEqualNodes();
    },
  );
});

describe.runIf(canRun('nbdkit and the daemons', ['nbdkit', 'fio']))('nbdkit', () => {
  it('the retry filter carries fio over the death of the worker', async () => {
    await startPair();
    const proxy = join(cluster.folder, 'proxy');
    const retry = ['--filter=retry', 'nbd', `socket=${socketOf(cluster.a)}`, 'retries=30', 'retry-delay=1'];
    const nbdkit = start('nbdkit', '-f', '-U', proxy, ...retry, 'retry-exponential=no');
    try {
      await eventually('nbdkit to listen', () => existsSync(proxy));
      const fio = output('fio', ...fioWork(`nbd+unix:///?socket=${proxy}`));
      await written(cluster.a, 200);
      await killWorker(cluster.a);
      await fio;
    } finally {
      nbdkit.kill('SIGTERM');
      await ended(nbdkit);
    }
    await expectEqualNodes();
  });
});

const programs = ['nbdfuse', 'fusermount3', 'losetup', 'mkfs.ext4', 'e2fsck', 'mount', 'umount'];

describe.runIf(canRun('file systems and the daemons', programs, ['/dev/fuse', '/dev/loop-control']))(
  'ext4',
  () => {
    it('what was synced before the primary died is there on the promoted secondary, after a clean fsck', async () => {
      await startPair('replication memsync');
      const tree = join(cluster.folder, 'tree');
      mkdirSync(tree);
      for (let i = 0; i < 40; i++) writeFileSync(join(tree, `file ${i.toString()}`), randomBytes(i * 20_000));

      const before = await attach(cluster.a, 'before');
      try {
        await output('mkfs.ext4', '-q', before.loop);
        await output('mount', before.loop, before.mountPoint);
        cpSync(tree, join(before.mountPoint, 'tree'), { recursive: true });
        await output('sync', '-f', before.mountPoint);
        cpSync(tree, join(before.mountPoint, 'not synced'), { recursive: true });
        await cluster.a.kill();
      } finally {
        await before.detach();
      }

      await eventually('the secondary to notice', () => cluster.b.workers().length === 0, 60_000);
      await cluster.b.role('primary');
      await (await cluster.b.device()).disconnect();
      const after = await attach(cluster.b, 'after');
      try {
        // The journal is replayed, as after any power failure; then nothing is left to repair.
        await output('e2fsck', '-p', after.loop);
        await output('e2fsck', '-fn', after.loop);
        await output('mount', after.loop, after.mountPoint);
        await output('diff', '-r', tree, join(after.mountPoint, 'tree'));
      } finally {
        await after.detach();
      }
    });
  },
);

/** A block device of the kernel on a node's HAST device, and where to mount what is on it. */
async function attach(
  node: ClusterNode,
  name: string,
): Promise<{ readonly loop: string; readonly mountPoint: string; detach(): Promise<void> }> {
  const folder = join(cluster.folder, name);
  const [fuse, mountPoint] = [join(folder, 'fuse'), join(folder, 'mnt')];
  for (const path of [fuse, mountPoint]) mkdirSync(path, { recursive: true });
  const nbdfuse = start('nbdfuse', fuse, uriOf(node));
  const file = join(fuse, 'nbd');
  let loop = '';
  const detach = async (): Promise<void> => {
    const mounted = readFileSync('/proc/mounts', 'latin1').includes(` ${mountPoint} `);
    if (mounted) await output('umount', mountPoint);
    if (loop !== '') await output('losetup', '--detach', loop);
    await output('fusermount3', '-u', '-z', fuse);
    await ended(nbdfuse);
  };
  try {
    await eventually('nbdfuse to mount', () => existsSync(file));
    loop = (await output('losetup', '--find', '--show', file)).trim();
  } catch (error) {
    await detach();
    throw error;
  }
  return { loop, mountPoint, detach };
}
