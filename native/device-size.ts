/** Sizes of disk devices (core/spec/integration.md sections 6.7 and 7). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { portError } from '../core/ports/error.js';
import type { PortError } from '../core/ports/error.js';
import { errnoError } from './addon.js';
import type { Addon } from './addon.js';

export interface DeviceSize {
  /** Bytes. */
  readonly mediaSize: number;
  readonly sectorSize: number;
}

/** Sizes of the device that `fd` has open; `rdev` is its number, `path` its name (Latin-1). */
export function deviceSize(
  fd: number,
  path: string,
  rdev: bigint,
  addon: Addon | null,
): DeviceSize | PortError {
  if (addon === null) return sizeWithoutAddon(path, rdev);
  const mediaSize = addon.mediaSize(fd);
  const sectorSize = addon.sectorSize(fd);
  return errnoError(Math.max(0, -mediaSize, -sectorSize)) ?? { mediaSize, sectorSize };
}

function sizeWithoutAddon(path: string, rdev: bigint): DeviceSize | PortError {
  for (const ask of [() => fromSysfs(rdev), () => fromBlockdev(path), () => fromDiskinfo(path)]) {
    try {
      const size = ask();
      if (size.mediaSize > 0 && size.sectorSize > 0) return size;
    } catch {
      // The next one may know.
    }
  }
  return portError(
    'EOPNOTSUPP',
    'the size of the device is not known: it needs the addon (npm run build with a C++ compiler), ' +
      'or the program blockdev(8) or diskinfo(8)',
  );
}

/** Linux. The queue belongs to the whole disk, which is a partition's parent directory. */
function fromSysfs(rdev: bigint): DeviceSize {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & ~0xffn);
  const folder = `/sys/dev/block/${major}:${minor}`;
  const sectors = numberIn(`${folder}/size`);
  let sectorSize;
  try {
    sectorSize = numberIn(`${folder}/queue/logical_block_size`);
  } catch {
    sectorSize = numberIn(`${folder}/../queue/logical_block_size`);
  }
  return { mediaSize: sectors * 512, sectorSize };
}

/** Linux without /sys: `--getss` and `--getsize64` print one number each. */
function fromBlockdev(path: string): DeviceSize {
  const [sectorSize, mediaSize] = outputNumbers('blockdev', ['--getss', '--getsize64', path]);
  return { mediaSize: mediaSize ?? 0, sectorSize: sectorSize ?? 0 };
}

/** FreeBSD: name, sector size, media size, and more. */
function fromDiskinfo(path: string): DeviceSize {
  const [, sectorSize, mediaSize] = outputNumbers('diskinfo', [path]);
  return { mediaSize: mediaSize ?? 0, sectorSize: sectorSize ?? 0 };
}

function numberIn(file: string): number {
  return Number(readFileSync(file, 'latin1').trim());
}

function outputNumbers(program: string, args: string[]): number[] {
  const output = execFileSync(program, args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
  return output.trim().split(/\s+/).map(Number);
}
