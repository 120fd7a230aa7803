/**
 * `hastctl dump` (core/spec/cli.md section 5): the metadata of local components, read without daemon or lock. Shows
 * what the reference would show; what hastd would refuse is said on stderr.
 */
import { createHash } from 'node:crypto';
import { formatBytes } from '../../core/base/human.js';
import type { Config, ResourceConfig } from '../../core/config/types.js';
import { faultOf, parseMetadata } from '../../core/metadata/codec.js';
import type { Metadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import type { Disk } from '../../core/ports/disk.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import { EX_DATAERR, EX_OK } from '../exit-codes.js';
import { openComponent, outcomeOf } from './component.js';
import { Failure } from '../failure.js';
import { resourceLog } from './output.js';
import type { Output } from './output.js';

/** The reference's -1. */
const EX_DUMP = 255;

/** Goes on with the next resource after a failure; the exit status is the first one's. */
export async function dump(config: Config, operands: readonly string[], output: Output): Promise<number> {
  const isAll = operands.length === 0 || (operands.length === 1 && operands[0] === 'all');
  const names = isAll ? config.resources.map(({ name }) => name) : operands;
  let exitCode = EX_OK;
  for (const name of names) {
    const resource = config.resources.find((candidate) => candidate.name === name);
    try {
      if (resource === undefined) throw new Failure(EX_DATAERR, `Unknown resource ${name}.`);
      await dumpOne(resource, output);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      output.log.write('error', error.message);
      exitCode ||= error.exitCode;
    }
  }
  return exitCode;
}

async function dumpOne(resource: ResourceConfig, { print, log }: Output): Promise<void> {
  const disk = await openForDump(resource.localpath);
  let metadata: Metadata;
  try {
    metadata = await readMetadata(disk, resource);
  } finally {
    await outcomeOf((done) => disk.close(done));
  }
  print(dumpText(metadata));
  const fault = faultOf(metadata, {
    resource: resource.name,
    mediaSize: disk.mediaSize,
    sectorSize: disk.sectorSize,
  });
  const about = resourceLog(log, resource.name);
  if (fault !== null) about.write('warning', `hastd will not use this metadata: ${fault}.`);
  if (metadata.incomplete) about.write('warning', 'Local copy is incomplete.');
}

async function openForDump(path: string): Promise<Disk> {
  try {
    return await openComponent(path, 'read');
  } catch (error) {
    throw error instanceof Failure ? new Failure(EX_DUMP, error.message) : error;
  }
}

async function readMetadata(disk: Disk, { name, localpath }: ResourceConfig): Promise<Metadata> {
  const block = new Uint8Array(METADATA_BYTES);
  const unreadable = (why: string): Failure =>
    new Failure(EX_DUMP, `Unable to read metadata from ${localpath}: ${why}.`);
  if (disk.mediaSize < METADATA_BYTES) throw unreadable(`it has only ${disk.mediaSize} bytes`);
  const error = await outcomeOf((done) => disk.read(0, block, done));
  if (error !== null) throw unreadable(error.message);
  const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());
  const metadata = parseMetadata(block, codecs);
  if (isPortError(metadata)) {
    throw new Failure(EX_DUMP, `Metadata read from ${localpath} is invalid: ${metadata.message}.`);
  }
  if (metadata.resource !== name) {
    throw new Failure(EX_DUMP, `Provider ${localpath} is not part of resource ${name}.`);
  }
  return metadata;
}

function dumpText(metadata: Metadata): string {
  // Nonsense metadata may hold negative numbers.
  const withSize = (bytes: number): string =>
    `${bytes} (${bytes < 0 ? '-' : ''}${formatBytes(Math.abs(bytes))})`;
  return [
    `resource: ${metadata.resource}`,
    `    datasize: ${withSize(metadata.datasize)}`,
    `    extentsize: ${withSize(metadata.extentsize)}`,
    `    keepdirty: ${metadata.keepdirty}`,
    `    localoff: ${metadata.localoff}`,
    `    resuid: ${metadata.resuid}`,
    `    localcnt: ${metadata.localcnt}`,
    `    remotecnt: ${metadata.remotecnt}`,
    `    prevrole: ${metadata.prevrole}`,
    '',
  ].join('\n');
}
