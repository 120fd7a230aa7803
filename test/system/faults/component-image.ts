/** What is on a component: metadata, activemap, user data (core/spec/metadata.md). */
import { isPortError } from '../../../core/ports/error.js';
import type { Metadata } from '../../../core/metadata/codec.js';
import { encodeMetadata, parseMetadata, withChange } from '../../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../../core/metadata/geometry.js';
import { nodeCodecs } from '../../../native/codecs.js';

const CODECS = nodeCodecs(null);

export class ComponentImage {
  readonly bytes: Uint8Array;
  readonly metadata: Metadata;

  /** Throws when the metadata is damaged. */
  constructor(bytes: Uint8Array) {
    const metadata = parseMetadata(bytes.subarray(0, METADATA_BYTES), CODECS);
    if (isPortError(metadata)) throw new Error(metadata.message);
    this.bytes = bytes;
    this.metadata = metadata;
  }

  get userData(): Uint8Array {
    const { localoff, datasize } = this.metadata;
    return this.bytes.subarray(localoff, localoff + datasize);
  }

  isDirty(extent: number): boolean {
    return ((this.bytes[METADATA_BYTES + (extent >> 3)] ?? 0) & (1 << (extent & 7))) !== 0;
  }

  /** The same, of a resource with another name. */
  renamed(resource: string): Uint8Array {
    const bytes = this.bytes.slice();
    bytes.set(encodeMetadata(withChange(this.metadata, { resource }), CODECS));
    return bytes;
  }
}

/** Extents whose user data differs though neither activemap says that it may. */
export function silentDifferences(one: ComponentImage, other: ComponentImage): number[] {
  const { extentsize, datasize } = one.metadata;
  const found: number[] = [];
  for (let extent = 0; extent * extentsize < datasize; extent++) {
    const at = extent * extentsize;
    const same = Buffer.compare(
      one.userData.subarray(at, at + extentsize),
      other.userData.subarray(at, at + extentsize),
    );
    if (same !== 0 && !one.isDirty(extent) && !other.isDirty(extent)) found.push(extent);
  }
  return found;
}
