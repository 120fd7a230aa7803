import { execFileSync } from 'node:child_process';
import {
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sameBytes } from '../../core/base/bytes.js';
import { Turns } from '../../core/base/turns.js';
import type { Disk } from '../../core/ports/disk.js';
import { isPortError } from '../../core/ports/error.js';
import type { Done, PortError } from '../../core/ports/error.js';
import { openDisk } from '../../native/disk.js';
import type { OpenDiskOptions } from '../../native/disk.js';
import { inlinePolicy } from '../../native/inline-transfers.js';
import { SimMedium } from '../../sim/medium.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';
import { builtAddon, eachAddon } from './addons.js';

const SECTOR = 512;
const readWrite: OpenDiskOptions = { access: 'readWrite', lock: false };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-disk-'));
  file = join(folder, 'component');
  writeFileSync(file, new Uint8Array(64 * SECTOR));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function opened(options: OpenDiskOptions, addon = builtAddon, turns = new Turns()): Promise<Disk> {
  const disk = await openDisk(file, options, turns, addon);
  if (isPortError(disk)) throw new Error(disk.message);
  return disk;
}

function outcome(start: (done: Done) => void): Promise<PortError | null> {
  return new Promise((resolve) => {
    start(resolve);
  });
}

describe.each(eachAddon)('disks %s: opening', (_, addon) => {
  it('says why it cannot', async () => {
    const turns = new Turns();
    expect(await openDisk(join(folder, 'none'), readWrite, turns, addon)).toMatchObject({ code: 'ENOENT' });
    expect(await openDisk(folder, readWrite, turns, addon)).toMatchObject({ code: 'EISDIR' });
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(await openDisk(fifo, readWrite, turns, addon)).toMatchObject({ code: 'EINVAL' });
    expect(isPortError(await openDisk('/dev/null', readWrite, turns, addon))).toBe(true);
  });

  it('takes the lock when asked, and refuses what is locked', async () => {
    const holder = await opened({ access: 'readWrite', lock: true }, addon);
    const second = await openDisk(file, { access: 'readWrite', lock: true }, new Turns(), addon);
    expect(second).toMatchObject({ code: 'EWOULDBLOCK' });
    const reader = await opened({ access: 'read', lock: false }, addon);
    await outcome((done) => reader.close(done));
    await outcome((done) => holder.close(done));
    const next = await opened({ access: 'readWrite', lock: true }, addon);
    await outcome((done) => next.close(done));
  });

  it('takes any bytes as a name', async () => {
    const name = Buffer.from([...Buffer.from(`${folder}/`), 0xff, 0xe4]);
    writeFileSync(name, new Uint8Array(SECTOR));
    const disk = await openDisk(name.toString('latin1'), readWrite, new Turns(), addon);
    expect(isPortError(disk)).toBe(false);
    if (!isPortError(disk)) await outcome((done) => disk.close(done));
  });
});

/** Of the descriptors that this process has of the component: whether writes to them wait for the medium. Linux only. */
function writesThrough(): boolean[] {
  const numbers = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file;
    } catch {
      return false;
    }
  });
  return numbers.map((fd) => {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & constants.O_DSYNC) !== 0;
  });
}

describe.skipIf(process.platform !== 'linux')('disks: durable writes (needs: Linux)', () => {
  it('do not wait for other data where the filesystem is known to keep its word', async () => {
    const disk = await opened(readWrite);
    const { writes: isKnown } = inlinePolicy(Buffer.from(file, 'latin1'));
    expect(writesThrough().sort()).toEqual(isKnown ? [false, true] : [false]);
    await outcome((done) => disk.close(done));
    expect(writesThrough()).toEqual([]);
    const reader = await opened({ access: 'read', lock: false });
    expect(writesThrough()).toEqual([false]);
    await outcome((done) => reader.close(done));
  });

  it('fail as others do', async () => {
    const disk = await opened({ access: 'read', lock: false });
    const writes = [{ offset: 0, source: new Uint8Array(SECTOR) }];
    for (const durably of [false, true]) {
      const error = await outcome((done) => disk.writeAll(writes, durably, done));
      expect(error).toMatchObject({ code: 'EBADF' });
    }
    await outcome((done) => disk.close(done));
  });
});

describe('disks: what goes wrong', () => {
  it('a short read is EIO', async () => {
    const disk = await opened(readWrite);
    truncateSync(file, 10 * SECTOR);
    const target = new Uint8Array(4 * SECTOR);
    expect(await outcome((done) => disk.read(8 * SECTOR, target, done))).toMatchObject({ code: 'EIO' });
    await outcome((done) => disk.close(done));
  });

  it('writing to a disk opened for reading fails', async () => {
    const disk = await opened({ access: 'read', lock: false });
    expect(await outcome((done) => disk.write(0, new Uint8Array(SECTOR), done))).toMatchObject({
      code: 'EBADF',
    });
    await outcome((done) => disk.close(done));
  });

  it.skipIf(builtAddon === null)('deleting frees the blocks of a file (needs: the addon)', async () => {
    writeFileSync(file, new Uint8Array(1024 * 1024).fill(1));
    const disk = await opened(readWrite);
    await outcome((done) => disk.flush(done));
    const before = statSync(file).blocks;
    expect(await outcome((done) => disk.delete(0, 1024 * 1024, done))).toBeNull();
    await outcome((done) => disk.flush(done));
    expect(statSync(file).blocks).toBeLessThan(before);
    expect(statSync(file).size).toBe(1024 * 1024);
    await outcome((done) => disk.close(done));
  });
});

type Step =
  | { readonly kind: 'write'; readonly sector: number; readonly sectors: number; readonly fill: number }
  | { readonly kind: 'delete' | 'read'; readonly sector: number; readonly sectors: number }
  | { readonly kind: 'flush' };

const range = { sector: fc.nat(63), sectors: fc.integer({ min: 1, max: 16 }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), ...range, fill: fc.nat(255) }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'read' as const), ...range }),
  fc.record({ kind: fc.constant('flush' as const) }),
);

/** Starts a step; the data that it reads, or null. */
function start(disk: Disk, step: Step, done: Done): Uint8Array | null {
  if (step.kind === 'flush') {
    disk.flush(done);
    return null;
  }
  const offset = step.sector * SECTOR;
  const length = Math.min(step.sectors, 64 - step.sector) * SECTOR;
  if (step.kind === 'write') {
    disk.write(offset, new Uint8Array(length).fill(step.fill), done);
    return null;
  }
  if (step.kind === 'delete') {
    disk.delete(offset, length, done);
    return null;
  }
  const target = new Uint8Array(length);
  disk.read(offset, target, done);
  return target;
}

describe.each(eachAddon)('disks %s: simulated and real', (_, addon) => {
  it('hold the same bytes after the same operations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        writeFileSync(file, new Uint8Array(64 * SECTOR));
        const real = await opened(readWrite, addon);
        const scheduler = new Scheduler();
        const process = new SimProcess('process');
        const medium = new SimMedium(new Random(1, 'disk'), { mediaSize: 64 * SECTOR });
        const simulated = medium.open(scheduler, process);
        for (const step of steps) {
          let realRead: Uint8Array | null = null;
          expect(await outcome((done) => (realRead = start(real, step, done)))).toBeNull();
          let simulatedRead: Uint8Array | null = null;
          process.run(() => {
            simulatedRead = start(simulated, step, () => undefined);
          });
          scheduler.runUntilIdle();
          expect(simulatedRead).toEqual(realRead);
        }
        await outcome((done) => real.close(done));
        expect(sameBytes(readFileSync(file), medium.visible)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
