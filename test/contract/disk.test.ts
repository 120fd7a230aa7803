import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Turns } from '../../core/base/turns.js';
import type { Disk } from '../../core/ports/disk.js';
import { isPortError } from '../../core/ports/error.js';
import type { Addon } from '../../native/addon.js';
import { openDisk } from '../../native/disk.js';
import { SimMedium } from '../../sim/medium.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';
import { eachAddon } from '../native/addons.js';
import { diskContract } from './disk.js';
import type { DiskSetup } from './disk.js';
import { realWorld, simWorld } from './world.js';

const MEDIA_SIZE = 4 * 1024 * 1024;

function simSetup(flushes: boolean, isCached = false): Promise<DiskSetup> {
  const scheduler = new Scheduler();
  const process = new SimProcess('process');
  const medium = new SimMedium(new Random(1, 'disk'), { mediaSize: MEDIA_SIZE, isCached });
  if (!flushes) medium.inject({ operation: 'flush', code: 'EOPNOTSUPP', times: 'always' });
  return Promise.resolve({
    disk: medium.open(scheduler, process),
    turns: process.turns,
    world: simWorld(scheduler, process),
    reopen: () => Promise.resolve(medium.open(scheduler, process)),
    teardown: () => Promise.resolve(),
  });
}

async function open(path: string, turns: Turns, addon: Addon | null): Promise<Disk> {
  const disk = await openDisk(path, { access: 'readWrite', lock: false }, turns, addon);
  if (isPortError(disk)) throw new Error(disk.message);
  return disk;
}

/** A file, or a loop device on it. */
async function realSetup(addon: Addon | null, kind: 'file' | 'loop'): Promise<DiskSetup> {
  const folder = mkdtempSync(join(tmpdir(), 'hast-disk-'));
  const file = join(folder, 'component');
  writeFileSync(file, '');
  truncateSync(file, MEDIA_SIZE);
  const path = kind === 'file' ? file : loopDevice(file);
  const turns = new Turns();
  return {
    disk: await open(path, turns, addon),
    turns,
    world: realWorld(turns),
    reopen: () => open(path, turns, addon),
    teardown: () => {
      if (kind === 'loop') execFileSync('losetup', ['-d', path]);
      rmSync(folder, { recursive: true });
      return Promise.resolve();
    },
  };
}

function loopDevice(file: string): string {
  return execFileSync('losetup', ['-f', '--show', file], { encoding: 'utf8' }).trim();
}

/** Loop devices need Linux, root and the program. */
function hasLoopDevices(): boolean {
  try {
    execFileSync('losetup', ['-f'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const traits = { mediaSize: MEDIA_SIZE, sectorSize: 512, flushes: true, deletesToZeros: true };

diskContract('simulated', traits, () => simSetup(true));
diskContract('simulated, cached', traits, () => simSetup(true, true));
diskContract('simulated, cannot flush', { ...traits, flushes: false }, () => simSetup(false));
for (const [name, addon] of eachAddon) diskContract(`file, ${name}`, traits, () => realSetup(addon, 'file'));

if (!hasLoopDevices()) console.log('not run: block devices (no loop devices here)');
else {
  for (const [name, addon] of eachAddon) {
    diskContract(`block device, ${name}`, traits, () => realSetup(addon, 'loop'));
  }
}
