/**
 * The metadata block at the start of a local component (core/spec/metadata.md section 2): the reference's nine
 * fields, then ours, which the reference ignores and drops when it rewrites the block. A checksum ends the list (W33).
 * What was read is checked completely before anybody acts on it: the numbers say where user data lies.
 */
import { assert } from '../base/assert.js';
import { newBuffer } from '../base/slab.js';
import type { ByteRange } from '../base/range-set.js';
import type { Codecs } from '../ports/codecs.js';
import { isPortError, portError } from '../ports/error.js';
import type { PortError } from '../ports/error.js';
import type { Role } from '../resource/types.js';
import { nv, nvBytes, writeNv } from '../wire/nv.js';
import type { NvPair } from '../wire/nv.js';
import { decodeNv } from '../wire/nv-list.js';
import type { NvList } from '../wire/nv-list.js';
import { isPowerOfTwo, mapBytes, METADATA_BYTES } from './geometry.js';

export interface Metadata {
  readonly resource: string;
  /** Bytes of user data: the size of the device. */
  readonly datasize: number;
  /** Bytes per extent, a power of two. */
  readonly extentsize: number;
  /** Extents on the keep-dirty list, at most. */
  readonly keepdirty: number;
  /** Where user data begins on the component, in bytes (field `offset`). */
  readonly localoff: number;
  /** 0: never connected to a peer. */
  readonly resuid: bigint;
  readonly localcnt: bigint;
  readonly remotecnt: bigint;
  readonly prevrole: Role;
  /** Ours (W8): this copy is the unfinished target of a synchronisation. */
  readonly incomplete: boolean;
  /** Ours (W18): bytes of the device whose newest data is only on the peer; at most MAX_LOCAL_BAD ranges. */
  readonly localBad: readonly ByteRange[];
}

/**
 * The metadata with these fields changed. Written out, because each object that is made by spreading another one gets a
 * hidden class of its own, and everybody who reads it later pays for that.
 */
export function withChange(metadata: Metadata, change: Partial<Metadata>): Metadata {
  return {
    resource: change.resource ?? metadata.resource,
    datasize: change.datasize ?? metadata.datasize,
    extentsize: change.extentsize ?? metadata.extentsize,
    keepdirty: change.keepdirty ?? metadata.keepdirty,
    localoff: change.localoff ?? metadata.localoff,
    resuid: change.resuid ?? metadata.resuid,
    localcnt: change.localcnt ?? metadata.localcnt,
    remotecnt: change.remotecnt ?? metadata.remotecnt,
    prevrole: change.prevrole ?? metadata.prevrole,
    incomplete: change.incomplete ?? metadata.incomplete,
    localBad: change.localBad ?? metadata.localBad,
  };
}

/** What the block must fit: the configured name and the component as it is now; sizes in bytes. */
export interface MetadataExpectation {
  readonly resource: string;
  readonly mediaSize: number;
  readonly sectorSize: number;
}

/** Greatest length of `localBad`; the whole list always stays below METADATA_BYTES. */
export const MAX_LOCAL_BAD = 128;

/** A block of METADATA_BYTES as a running node writes it. */
export function encodeMetadata(metadata: Metadata, codecs: Codecs): Uint8Array {
  assert(metadata.localBad.length <= MAX_LOCAL_BAD, `${metadata.localBad.length} local-bad ranges`);
  const pairs = referencePairs(metadata);
  if (metadata.incomplete) pairs.push(nv.uint8('incomplete', 1));
  if (metadata.localBad.length > 0) {
    const value = metadata.localBad.flatMap(({ offset, length }) => [offset, length]);
    pairs.push({ name: 'localbad', type: 'uint64[]', value });
  }
  const bytes = block(pairs);
  const covered = nvBytes(pairs);
  const checksum = [nv.uint32('crc32', codecs.crc32(bytes.subarray(0, covered)))];
  assert(covered + nvBytes(checksum) < METADATA_BYTES, 'metadata without room for its checksum');
  writeNv(checksum, bytes, covered);
  return bytes;
}

/** A block as `hastctl create` writes it: the reference's nine fields and nothing else. */
export function encodeFreshMetadata(
  metadata: Pick<Metadata, 'resource' | 'datasize' | 'extentsize' | 'keepdirty' | 'localoff'>,
): Uint8Array {
  const { resource, datasize, extentsize, keepdirty, localoff } = metadata;
  return block(
    referencePairs({
      resource,
      datasize,
      extentsize,
      keepdirty,
      localoff,
      resuid: 0n,
      localcnt: 0n,
      remotecnt: 0n,
      prevrole: 'init',
    }),
  );
}

/** Reads a block and checks all of it; EINVAL names the field that cannot be. */
export function decodeMetadata(
  bytes: Uint8Array,
  expected: MetadataExpectation,
  codecs: Codecs,
): Metadata | PortError {
  const metadata = parseMetadata(bytes, codecs);
  const fault = isPortError(metadata) ? metadata.message : faultOf(metadata, expected);
  if (fault === null && !isPortError(metadata)) return metadata;
  return portError('EINVAL', `metadata of resource ${expected.resource}: ${fault}; the disk was not touched`);
}

/**
 * Reads a block as far as the reference does (for `dump`): a valid list with the nine fields, whatever their values.
 * EINVAL names the field that is missing; a checksum, if there is one, must be right.
 */
export function parseMetadata(bytes: Uint8Array, codecs: Codecs): Metadata | PortError {
  const list = decodeNv(bytes);
  if (isPortError(list)) return list;
  // Every writer fills the block with zeros: more means that a damaged byte ended the list too early.
  if (!codecs.isZero(bytes.subarray(list.byteLength))) return invalid('bytes follow the end of the list');
  const checksumAt = list.startOf('crc32');
  if (checksumAt !== -1) {
    const covered = bytes.subarray(0, checksumAt);
    if (list.number('crc32', 'uint32') !== codecs.crc32(covered))
      return invalid('crc32 does not match the content');
  }
  return readFields(list);
}

function referencePairs(metadata: Omit<Metadata, 'incomplete' | 'localBad'>): NvPair[] {
  return [
    nv.string('resource', metadata.resource),
    nv.uint64('datasize', metadata.datasize),
    nv.uint32('extentsize', metadata.extentsize),
    nv.uint32('keepdirty', metadata.keepdirty),
    nv.uint64('offset', metadata.localoff),
    nv.uint64('resuid', metadata.resuid),
    nv.uint64('localcnt', metadata.localcnt),
    nv.uint64('remotecnt', metadata.remotecnt),
    nv.string('prevrole', metadata.prevrole),
  ];
}

function block(pairs: readonly NvPair[]): Uint8Array {
  assert(nvBytes(pairs) < METADATA_BYTES, `metadata of ${nvBytes(pairs)} bytes`);
  const bytes = newBuffer(METADATA_BYTES);
  writeNv(pairs, bytes, 0);
  return bytes;
}

function readFields(list: NvList): Metadata | PortError {
  const resource = list.string('resource');
  const datasize = list.safeInteger('datasize', 'uint64');
  const extentsize = list.number('extentsize', 'uint32');
  const keepdirty = list.number('keepdirty', 'uint32');
  const localoff = list.safeInteger('offset', 'uint64');
  const resuid = list.bigint('resuid', 'uint64');
  const localcnt = list.bigint('localcnt', 'uint64');
  const remotecnt = list.bigint('remotecnt', 'uint64');
  const prevrole = list.string('prevrole');
  if (resource === null) return missing('resource');
  if (datasize === null) return missing('datasize');
  if (extentsize === null) return missing('extentsize');
  if (keepdirty === null) return missing('keepdirty');
  if (localoff === null) return missing('offset');
  if (resuid === null) return missing('resuid');
  if (localcnt === null) return missing('localcnt');
  if (remotecnt === null) return missing('remotecnt');
  if (prevrole === null) return missing('prevrole');

  return {
    resource,
    datasize,
    // Signed in the reference, and so in what `dump` shows.
    extentsize: extentsize | 0,
    keepdirty: keepdirty | 0,
    localoff,
    resuid,
    localcnt,
    remotecnt,
    prevrole: prevrole === 'primary' || prevrole === 'secondary' ? prevrole : 'init',
    incomplete: list.has('incomplete'),
    localBad: rangesOf(list.numbers('localbad') ?? []),
  };
}

/** The first thing that makes the metadata unusable, or null; the reference checks only the name. */
export function faultOf(
  metadata: Metadata,
  { resource, mediaSize, sectorSize }: MetadataExpectation,
): string | null {
  const { datasize, extentsize, keepdirty, localoff } = metadata;
  if (metadata.resource !== resource) return `resource is ${metadata.resource}`;
  if (!isPowerOfTwo(sectorSize) || sectorSize > METADATA_BYTES) {
    return `sector size ${sectorSize} is not a power of two up to ${METADATA_BYTES}`;
  }
  if (!isPowerOfTwo(extentsize)) return `extentsize ${extentsize} is not a power of two`;
  if (extentsize < sectorSize) return `extentsize ${extentsize} is less than the sector size ${sectorSize}`;
  if (keepdirty < 1) return `keepdirty ${keepdirty} is less than 1`;
  if (datasize === 0) return 'datasize is 0';
  if (datasize % sectorSize !== 0)
    return `datasize ${datasize} is not a multiple of the sector size ${sectorSize}`;
  if (localoff % sectorSize !== 0)
    return `offset ${localoff} is not a multiple of the sector size ${sectorSize}`;
  const needed = METADATA_BYTES + mapBytes(datasize, extentsize, sectorSize);
  if (localoff < needed)
    return `offset ${localoff} leaves no room for the activemap, which ends at ${needed}`;
  if (localoff + datasize > mediaSize) {
    return `datasize ${datasize} at offset ${localoff} does not fit the component of ${mediaSize} bytes`;
  }
  if (metadata.resuid === 0n && (metadata.localcnt !== 0n || metadata.remotecnt !== 0n)) {
    return `localcnt ${metadata.localcnt} and remotecnt ${metadata.remotecnt} must be 0 while resuid is 0`;
  }
  const beyond = metadata.localBad.find(({ offset, length }) => !(offset + length <= datasize));
  return beyond === undefined
    ? null
    : `localbad names ${beyond.length} bytes at ${beyond.offset} of ${datasize}`;
}

/** Offsets and lengths in turn. */
function rangesOf(numbers: readonly number[]): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    ranges.push({ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 });
  }
  return ranges;
}

function missing(field: string): PortError {
  return invalid(`${field} is missing, of a wrong type or out of range`);
}

function invalid(message: string): PortError {
  return portError('EINVAL', message);
}
