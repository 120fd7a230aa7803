import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeMetadata } from '../../core/metadata/codec.js';
import type { Metadata } from '../../core/metadata/codec.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { runHastctl } from './run-hastctl.js';
import type { Ending } from './run-hastctl.js';

const MIB = 1_048_576;
const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());

let folder = '';
let component = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-create-'));
  component = join(folder, 'r0.img');
  writeFileSync(component, '');
  truncateSync(component, 4 * MIB);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function run(command: string, components: Record<string, string> = { r0: component }): Promise<Ending> {
  return runHastctl(command.split(' '), { folder, control: join(folder, 'ctl'), components });
}

function failure(exit: number, ...lines: string[]): Ending {
  return { exit, stdout: '', stderr: lines.map((line) => `[ERROR] ${line}\n`).join('') };
}

describe('create', () => {
  test('writes metadata and a clean map, and nothing else', async () => {
    writeFileSync(component, new Uint8Array(4 * MIB).fill(0xee));
    expect(await run('create r0')).toEqual({ exit: 0, stdout: '', stderr: '' });
    const bytes = readFileSync(component);
    expect(bytes).toHaveLength(4 * MIB);
    expect(bytes.subarray(4096, 4608).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(4608).every((byte) => byte === 0xee)).toBe(true);
    expect((await run('dump')).stdout).toBe(
      [
        'resource: r0',
        '    datasize: 4189696 (4.0MB)',
        '    extentsize: 2097152 (2.0MB)',
        '    keepdirty: 64',
        '    localoff: 4608',
        '    resuid: 0',
        '    localcnt: 0',
        '    remotecnt: 0',
        '    prevrole: init',
        '',
      ].join('\n'),
    );
  });

  test('zero means the default', async () => {
    expect(await run('create -e 0 -k 0 -m 0 r0')).toMatchObject({ exit: 0 });
    expect((await run('dump')).stdout).toContain('keepdirty: 64\n');
  });

  test.each([
    ['-e 256', 'Extent size (256) is less than sector size (512).'],
    ['-e 1000', 'Extent size (1000) is not multiple of sector size (512).'],
    ['-e 3M', 'Extent size (3145728) is not power of 2.'],
    ['-e 2G', 'Extent size (2147483648) is greater than 1073741824.'],
    ['-e 4294967808', 'Extent size (4294967808) is not power of 2.'],
    ['-e -4096', 'Extent size (-4096) is less than sector size (512).'],
    ['-k -5', 'Keepdirty (-5) is less than 1.'],
    ['-k 4294967297', 'Keepdirty (4294967297) is greater than 2147483647.'],
    ['-m 4K', 'Mediasize (4096) leaves no room for data: more than 4608 bytes are needed.'],
    ['-m -1', 'Mediasize (-1) leaves no room for data: more than 4608 bytes are needed.'],
  ])('%s is refused and leaves the component alone', async (options, text) => {
    expect(await run(`create ${options} r0`)).toEqual(failure(65, `[r0] ${text}`));
    expect(readFileSync(component).every((byte) => byte === 0)).toBe(true);
  });

  test('a media size beyond the component is refused', async () => {
    const text = `[r0] Provided mediasize is larger than provider ${component} size.`;
    expect(await run('create -m 5M r0')).toEqual(failure(65, text));
  });

  test('the other resources are done after a failure; the first one decides the status', async () => {
    const good = join(folder, 'good.img');
    writeFileSync(good, new Uint8Array(MIB));
    const result = await run('create nosuch bad all good', { bad: join(folder, 'missing'), good });
    expect(result).toEqual(
      failure(
        65,
        'Unknown resource nosuch.',
        `[bad] Unable to open ${join(folder, 'missing')}: No such file or directory.`,
        'Unknown resource all.',
      ),
    );
    expect((await run('dump good', { good })).exit).toBe(0);
  });

  test('a resource may be named twice', async () => {
    expect(await run('create r0 r0')).toMatchObject({ exit: 0, stderr: '' });
  });

  test('a directory is no component', async () => {
    mkdirSync(join(folder, 'd'));
    const { exit, stderr } = await run('create d', { d: join(folder, 'd') });
    expect(exit).toBe(66);
    expect(stderr).toMatch(/^\[ERROR\] \[d\] Unable to open .*: Is a directory\.\n$/);
  });

  test('a device that is no disk is no component', async () => {
    const { exit, stderr } = await run('create d', { d: '/dev/null' });
    expect(exit).toBe(66);
    expect(stderr).toMatch(/^\[ERROR\] \[d\] .*\/dev\/null/);
  });

  test('a component in use is refused and left alone (W39)', async () => {
    const holder = spawn('flock', ['-x', component, 'sh', '-c', 'echo locked; read line'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect(await run('create r0')).toEqual(
      failure(
        66,
        `[r0] Unable to lock ${component}: it is locked by another process. Is the resource in use?`,
      ),
    );
    expect(readFileSync(component).every((byte) => byte === 0)).toBe(true);
    const exited = once(holder, 'exit');
    holder.stdin.end('\n');
    await exited;
    expect(await run('create r0')).toMatchObject({ exit: 0 });
  });
});

describe('dump', () => {
  const metadata: Metadata = {
    resource: 'r0',
    datasize: 4 * MIB - 4608,
    extentsize: 4096,
    keepdirty: 2,
    localoff: 4608,
    resuid: 18_446_744_073_709_551_615n,
    localcnt: 9n,
    remotecnt: 8n,
    prevrole: 'primary',
    incomplete: false,
    localBad: [],
  };

  function store(changes: Partial<Metadata>): void {
    writeFileSync(component, encodeMetadata({ ...metadata, ...changes }, codecs));
    truncateSync(component, 4 * MIB);
  }

  test('shows what a running node wrote', async () => {
    store({});
    expect(await run('dump r0')).toEqual({
      exit: 0,
      stdout: [
        'resource: r0',
        '    datasize: 4189696 (4.0MB)',
        '    extentsize: 4096 (4.0KB)',
        '    keepdirty: 2',
        '    localoff: 4608',
        '    resuid: 18446744073709551615',
        '    localcnt: 9',
        '    remotecnt: 8',
        '    prevrole: primary',
        '',
      ].join('\n'),
      stderr: '',
    });
  });

  test('says beside it that a copy is incomplete (W8), or that hastd would refuse it', async () => {
    store({ incomplete: true });
    expect(await run('dump')).toMatchObject({
      exit: 0,
      stderr: '[WARNING] [r0] Local copy is incomplete.\n',
    });
    store({ keepdirty: 0 });
    expect(await run('dump')).toMatchObject({
      exit: 0,
      stderr: '[WARNING] [r0] hastd will not use this metadata: keepdirty 0 is less than 1.\n',
    });
  });

  test('all is special alone', async () => {
    await run('create r0');
    expect((await run('dump all')).stdout).toContain('resource: r0');
    const both = await run('dump all r0');
    expect(both).toMatchObject({ exit: 65, stderr: '[ERROR] Unknown resource all.\n' });
    expect(both.stdout).toContain('resource: r0');
  });

  test('unreadable components do not keep others from being shown', async () => {
    store({});
    const tiny = join(folder, 'tiny');
    writeFileSync(tiny, 'x');
    const noise = join(folder, 'noise');
    writeFileSync(noise, new Uint8Array(MIB).fill(7));
    const components = { gone: join(folder, 'gone'), tiny, noise, other: component, r0: component };
    const { exit, stdout, stderr } = await run('dump', components);
    expect(exit).toBe(255);
    expect(stdout).toMatch(/^resource: r0\n/);
    expect(stderr.split('\n')).toEqual([
      `[ERROR] Unable to open ${components.gone}: No such file or directory.`,
      `[ERROR] Unable to read metadata from ${tiny}: it has only 1 bytes.`,
      expect.stringMatching(`^\\[ERROR\\] Metadata read from ${noise} is invalid: nv list`),
      `[ERROR] Provider ${component} is not part of resource other.`,
      '',
    ]);
  });

  test('a wrong checksum is told and nothing is changed', async () => {
    store({});
    const bytes = readFileSync(component);
    bytes[52] = (bytes[52] ?? 0) ^ 1;
    writeFileSync(component, bytes);
    expect(await run('dump')).toEqual(
      failure(255, `Metadata read from ${component} is invalid: crc32 does not match the content.`),
    );
    expect(readFileSync(component).equals(bytes)).toBe(true);
    expect(statSync(component).size).toBe(4 * MIB);
  });
});
