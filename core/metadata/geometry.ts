/**
 * Where things lie on a local component (core/spec/metadata.md sections 1, 3.2 and 4): metadata block, activemap,
 * user data. The map region is exactly [4096, localoff): nothing derived from the component's present size may
 * reach into user data (W7).
 */
import { portError } from '../ports/error.js';
import type { PortError } from '../ports/error.js';
import { roundUp } from '../base/bytes.js';

/** Size of the metadata block, always read and written whole; the activemap begins here. */
export const METADATA_BYTES = 4096;
export const DEFAULT_EXTENTSIZE = 2_097_152;
export const DEFAULT_KEEPDIRTY = 64;
/** The greatest power of two that the reference's signed 32-bit fields hold. */
const MAX_EXTENTSIZE = 1_073_741_824;

export function isPowerOfTwo(value: number): boolean {
  if (!Number.isSafeInteger(value) || value < 1) return false;
  let odd = value;
  while (odd % 2 === 0) odd /= 2;
  return odd === 1;
}

/** Number of extents of `size` bytes of user data; the last one may be short. */
export function extentCount(size: number, extentsize: number): number {
  return Math.ceil(size / extentsize);
}

/** Bytes of a bitmap with one bit per extent, a multiple of 8. */
export function bitmapBytes(size: number, extentsize: number): number {
  return roundUp(extentCount(size, extentsize), 64) / 8;
}

/** Bytes that such a bitmap takes on a medium with `sectorSize`. */
export function mapBytes(size: number, extentsize: number, sectorSize: number): number {
  return roundUp(bitmapBytes(size, extentsize), sectorSize);
}

/** Where the user data lies; bytes. */
export interface Geometry {
  readonly localoff: number;
  readonly datasize: number;
}

/** Bytes of the activemap at offset 4096 that a running node reads, sends, writes and clears: never user data. */
export function mapRegionBytes(geometry: Geometry, extentsize: number, sectorSize: number): number {
  return Math.min(mapBytes(geometry.datasize, extentsize, sectorSize), geometry.localoff - METADATA_BYTES);
}

/**
 * The layout `create` chooses for `mediaSize` bytes, which are rounded down to whole sectors. EINVAL for sizes that
 * cannot be used; the message is the reference's where it has one, without the final dot.
 */
export function createGeometry(
  mediaSize: number,
  extentsize: number,
  sectorSize: number,
): Geometry | PortError {
  if (!isPowerOfTwo(sectorSize)) return invalid(`Sector size is not power of 2 (${sectorSize})`);
  if (sectorSize > METADATA_BYTES) {
    return invalid(`Sector size (${sectorSize}) is greater than the metadata block (${METADATA_BYTES})`);
  }
  if (extentsize < sectorSize) {
    return invalid(`Extent size (${extentsize}) is less than sector size (${sectorSize})`);
  }
  if (extentsize % sectorSize !== 0) {
    return invalid(`Extent size (${extentsize}) is not multiple of sector size (${sectorSize})`);
  }
  if (!isPowerOfTwo(extentsize)) return invalid(`Extent size (${extentsize}) is not power of 2`);
  if (extentsize > MAX_EXTENTSIZE) {
    return invalid(`Extent size (${extentsize}) is greater than ${MAX_EXTENTSIZE}`);
  }

  const usable = Math.floor(mediaSize / sectorSize) * sectorSize;
  // The map is sized for everything behind the metadata, itself included: at most one sector too many.
  const mapsize = mapBytes(Math.max(usable - METADATA_BYTES, 1), extentsize, sectorSize);
  const localoff = METADATA_BYTES + mapsize;
  if (usable <= localoff) {
    return invalid(
      `Mediasize (${mediaSize}) leaves no room for data: more than ${localoff} bytes are needed`,
    );
  }
  return { localoff, datasize: usable - localoff };
}

function invalid(message: string): PortError {
  return portError('EINVAL', message);
}
