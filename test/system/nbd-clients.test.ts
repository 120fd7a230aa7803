/** The NBD server and the clients that people use: libnbd's tools, qemu, fio, and a file system on top. */
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Served, canRun, ended, freePort, output, start } from './nbd-clients-tools.js';

const MIB = 1 << 20;
const MEDIA_BYTES = 128 * MIB;

let directory: string;
let server: Served;
/** Of the default export. */
let uri: string;

async function serve(bytes: number, sectorSize?: number): Promise<void> {
  const path = join(directory, 'shared0');
  server = new Served(`uds://${path}`, bytes, sectorSize);
  uri = `nbd+unix:///?socket=${path}`;
  await server.ready();
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hast-clients-'));
});

afterEach(async () => {
  const code = await server.stop();
  rmSync(directory, { recursive: true });
  expect(code, 'the server found nothing wrong').toBe(0);
});

describe.runIf(canRun('libnbd', ['nbdinfo', 'nbdcopy']))('libnbd', () => {
  it.each([512, 4096])('nbdinfo sees an export with sectors of %d bytes', async (sectorSize) => {
    await serve(MEDIA_BYTES, sectorSize);
    const info: unknown = JSON.parse(await output('nbdinfo', '--json', '--list', uri));
    expect(info).toMatchObject({
      protocol: 'newstyle-fixed',
      TLS: false,
      structured: true,
      exports: [
        {
          'export-name': 'shared0',
          'export-size': MEDIA_BYTES,
          is_read_only: false,
          can_flush: true,
          can_fua: true,
          can_trim: true,
          can_zero: true,
          can_df: true,
          can_multi_conn: true,
          block_size_minimum: sectorSize,
          block_size_preferred: MIB,
          block_size_maximum: 32 * MIB,
        },
      ],
    });
    expect(await output('nbdinfo', uri)).toContain('HAST provider hast/shared0');
    expect(await output('nbdinfo', '--size', uri)).toBe(`${MEDIA_BYTES.toString()}\n`);
  });

  it('nbdinfo is told that an export does not exist', async () => {
    await serve(MEDIA_BYTES);
    const other = output('nbdinfo', uri.replace('///', '///other'));
    await expect(other).rejects.toThrow('No such file or directory for export: other');
  });

  it('nbdinfo comes over TCP', async () => {
    const port = await freePort();
    server = new Served(`tcp4://127.0.0.1:${port.toString()}`, MEDIA_BYTES);
    await server.ready();
    const size = await output('nbdinfo', '--size', `nbd://127.0.0.1:${port.toString()}/shared0`);
    expect(size).toBe(`${MEDIA_BYTES.toString()}\n`);
  });

  it.each([
    [512, []],
    [4096, []],
    [512, ['--connections=4', '--requests=64', '--flush']],
    [512, ['--request-size=33554432', '--requests=4']],
    [512, ['--synchronous']],
  ])('nbdcopy copies in and out, sectors of %d bytes, %j', async (sectorSize, options) => {
    await serve(MEDIA_BYTES, sectorSize);
    const [source, target] = [join(directory, 'source'), join(directory, 'target')];
    // With a hole in the middle, which is copied as zeroes.
    const data = Buffer.concat([randomBytes(50 * MIB), Buffer.alloc(20 * MIB), randomBytes(58 * MIB)]);
    writeFileSync(source, data);
    await output('nbdcopy', ...options, source, uri);
    await output('nbdcopy', ...options, uri, target);
    expect(digest(readFileSync(target))).toBe(digest(data));
  });
});

describe.runIf(canRun('qemu', ['qemu-img', 'qemu-io']))('qemu', () => {
  it('qemu-io reads, writes, zeroes, discards and flushes', async () => {
    await serve(MEDIA_BYTES);
    const commands = [
      'write -P 1 0 8M',
      'write -f -P 2 1M 64k',
      'read -P 2 1M 64k',
      'write -z 512 4096',
      'read -P 0 512 4096',
      'write -z -u -f 2M 100M',
      'read -P 0 2M 100M',
      'discard 4M 4M',
      'aio_write -P 3 8M 4M',
      'aio_write -P 4 12M 4M',
      'aio_flush',
      'aio_read -P 3 8M 4M',
      'aio_read -P 4 12M 4M',
      'aio_flush',
      'write -P 5 127M 1M',
      'read -P 5 127M 1M',
      'flush',
    ];
    const printed = await output(
      'qemu-io',
      '-f',
      'raw',
      ...commands.flatMap((command) => ['-c', command]),
      uri,
    );
    expect(printed).not.toMatch(/failed|error|verification/i);
  });

  it('qemu-io aligns what it writes to large sectors', async () => {
    await serve(MEDIA_BYTES, 4096);
    const commands = ['write -P 1 0 8192', 'write -P 2 100 5000', 'read -P 2 100 5000', 'read -P 1 0 100'];
    const printed = await output(
      'qemu-io',
      '-f',
      'raw',
      ...commands.flatMap((command) => ['-c', command]),
      uri,
    );
    expect(printed).not.toMatch(/failed|error|verification/i);
  });

  it('qemu-img converts to the device and compares', async () => {
    await serve(MEDIA_BYTES);
    const source = join(directory, 'source');
    writeFileSync(source, Buffer.concat([randomBytes(40 * MIB), Buffer.alloc(MEDIA_BYTES - 40 * MIB)]));
    await output('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', source, uri);
    expect(await output('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', source, uri)).toContain('identical');
    expect(await output('qemu-img', 'info', uri)).toContain('128 MiB');
  });
});

describe.runIf(canRun('fio', ['fio']))('fio', () => {
  const verify = ['--verify=crc32c', '--verify_fatal=1', '--do_verify=1', '--verify_state_save=0'];

  it.each([
    ['random writes of many sizes', ['--rw=randwrite', '--bsrange=512-256k', '--iodepth=32']],
    ['sequential writes of 1 MiB', ['--rw=write', '--bs=1m', '--iodepth=16']],
    ['mixed work with flushes', ['--rw=randrw', '--bs=4k', '--iodepth=64', '--fsync=32']],
    ['mixed work with trims', ['--rw=randtrimwrite', '--bs=64k', '--iodepth=8']],
  ])('verifies %s', async (name, options) => {
    await serve(MEDIA_BYTES);
    const what = name.includes('trims') ? [] : verify;
    await output('fio', '--name=v', '--ioengine=nbd', `--uri=${uri}`, '--size=64m', ...options, ...what);
  });

  it('verifies the work of four clients at once', async () => {
    await serve(MEDIA_BYTES);
    const clients = ['--numjobs=4', '--offset_increment=16m', '--size=16m'];
    const work = ['--rw=randwrite', '--bsrange=4k-64k', '--iodepth=16'];
    await output('fio', '--name=v', '--ioengine=nbd', `--uri=${uri}`, ...clients, ...work, ...verify);
  });
});

const filesystem = ['nbdfuse', 'fusermount3', 'losetup', 'mkfs.ext4', 'e2fsck', 'mount', 'umount'];
const kernel = ['/dev/fuse', '/dev/loop-control'];

describe.runIf(canRun('file system', filesystem, kernel))('file system', () => {
  it('is made, mounted, written, and found again undamaged', async () => {
    await serve(MEDIA_BYTES);
    const [fuse, mountPoint, tree] = ['fuse', 'mnt', 'tree'].map((name) => join(directory, name));
    if (fuse === undefined || mountPoint === undefined || tree === undefined) return;
    for (const path of [fuse, mountPoint, tree]) mkdirSync(path);
    for (let i = 0; i < 40; i++) writeFileSync(join(tree, `file ${i.toString()}`), randomBytes(i * 20_000));
    const file = join(fuse, 'nbd');

    for (const round of ['write', 'read'] as const) {
      const nbdfuse = start('nbdfuse', fuse, uri);
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
      const loop = (await output('losetup', '--find', '--show', file)).trim();
      try {
        if (round === 'write') await output('mkfs.ext4', '-q', loop);
        else await output('e2fsck', '-fn', loop);
        await output('mount', loop, mountPoint);
        if (round === 'write') cpSync(tree, join(mountPoint, 'tree'), { recursive: true });
        else await output('diff', '-r', tree, join(mountPoint, 'tree'));
        await output('umount', mountPoint);
      } finally {
        await output('losetup', '--detach', loop);
        await output('fusermount3', '-u', fuse);
        await ended(nbdfuse);
      }
    }
  });
});

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
