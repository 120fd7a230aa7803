/**
 * `hastctl create` (core/spec/cli.md section 2, metadata.md section 4): makes local components virgin. Unlike the
 * reference it locks them (W39), flushes what it wrote, rounds the media size down to whole sectors and refuses numbers
 * that no node could work with.
 */
import type { Config, ResourceConfig } from '../../core/config/types.js';
import { encodeFreshMetadata } from '../../core/metadata/codec.js';
import {
  createGeometry,
  DEFAULT_EXTENTSIZE,
  DEFAULT_KEEPDIRTY,
  isPowerOfTwo,
  METADATA_BYTES,
} from '../../core/metadata/geometry.js';
import type { Disk } from '../../core/ports/disk.js';
import { isPortError } from '../../core/ports/error.js';
import type { Log } from '../../core/ports/log.js';
import { EX_DATAERR, EX_IOERR, EX_OK } from '../exit-codes.js';
import type { CreateOptions } from './command-line.js';
import { openComponent, outcomeOf } from './component.js';
import { Failure } from '../failure.js';
import { resourceLog } from './output.js';

const MAX_KEEPDIRTY = 0x7fff_ffff;

/** Goes on with the next resource after a failure; the exit status is the first one's. */
export async function create(
  config: Config,
  options: CreateOptions,
  names: readonly string[],
  log: Log,
): Promise<number> {
  let exitCode = EX_OK;
  for (const name of names) {
    const resource = config.resources.find((candidate) => candidate.name === name);
    if (resource === undefined) {
      log.write('error', `Unknown resource ${name}.`);
      exitCode ||= EX_DATAERR;
      continue;
    }
    try {
      await createOne(resource, options);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      resourceLog(log, name).write('error', error.message);
      exitCode ||= error.exitCode;
    }
  }
  return exitCode;
}

async function createOne(resource: ResourceConfig, options: CreateOptions): Promise<void> {
  const disk = await openComponent(resource.localpath, 'readWrite');
  try {
    await initialize(disk, resource, options);
  } finally {
    await outcomeOf((done) => disk.close(done));
  }
}

async function initialize(
  disk: Disk,
  { name, localpath }: ResourceConfig,
  options: CreateOptions,
): Promise<void> {
  const extentsize = numberOr(options.extentsize, DEFAULT_EXTENTSIZE);
  const keepdirty = numberOr(options.keepdirty, DEFAULT_KEEPDIRTY);
  const mediaSize = numberOr(options.mediasize, disk.mediaSize);
  if (mediaSize > disk.mediaSize) {
    throw refusal(`Provided mediasize is larger than provider ${localpath} size.`);
  }
  if (!isPowerOfTwo(disk.sectorSize)) {
    throw refusal(`Sector size of provider ${localpath} is not power of 2 (${disk.sectorSize}).`);
  }
  if (keepdirty < 1) throw refusal(`Keepdirty (${keepdirty}) is less than 1.`);
  if (keepdirty > MAX_KEEPDIRTY) throw refusal(`Keepdirty (${keepdirty}) is greater than ${MAX_KEEPDIRTY}.`);
  const geometry = createGeometry(mediaSize, extentsize, disk.sectorSize);
  if (isPortError(geometry)) throw refusal(`${geometry.message}.`);

  const metadata = encodeFreshMetadata({ resource: name, ...geometry, extentsize, keepdirty });
  const map = new Uint8Array(geometry.localoff - METADATA_BYTES);
  const failed = (what: string) => `Unable to ${what}`;
  await step(failed('write metadata'), (done) => disk.write(0, metadata, done));
  await step(failed(`store initial bitmap on ${localpath}`), (done) => disk.write(METADATA_BYTES, map, done));
  const flushed = await outcomeOf((done) => disk.flush(done));
  if (flushed !== null && flushed.code !== 'EOPNOTSUPP') {
    throw new Failure(EX_IOERR, `Unable to flush ${localpath}: ${flushed.message}.`);
  }
}

async function step(what: string, operation: Parameters<typeof outcomeOf>[0]): Promise<void> {
  const error = await outcomeOf(operation);
  if (error !== null) throw new Failure(EX_IOERR, `${what}: ${error.message}.`);
}

/** 0 and absent mean the default. */
function numberOr(option: bigint | undefined, otherwise: number): number {
  return option === undefined || option === 0n ? otherwise : Number(option);
}

function refusal(text: string): Failure {
  return new Failure(EX_DATAERR, text);
}
