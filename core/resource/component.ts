import { newBuffer } from '../base/slab.js';
import { mapRegionBytes, METADATA_BYTES } from '../metadata/geometry.js';
import { decodeMetadata, type Metadata } from '../metadata/codec.js';
import type { Codecs } from '../ports/codecs.js';
import type { Disk } from '../ports/disk.js';
import { isPortError, portError, type PortError } from '../ports/error.js';
import type { Log } from '../ports/log.js';

/** What a worker finds on its local component. */
export interface Component {
  readonly metadata: Metadata;
  /** The bitmap of dirty extents, as long as its region; all ones when it could not be read (D5). */
  readonly bits: Uint8Array;
  /** What the medium is known to hold of it. */
  readonly durableBits: Uint8Array;
}

/**
 * Reads and checks metadata and activemap (core/spec/metadata.md section 2.4); nothing is changed. What was read is made
 * durable first: an earlier worker may have died between writing and flushing it, and a peer that acts on counters must not
 * see them go back with the power.
 */
export function openComponent(
  ports: { disk: Disk; codecs: Codecs; log: Log },
  resource: string,
  done: (error: PortError | null, component: Component | null) => void,
): void {
  const { disk, codecs, log } = ports;
  if (disk.mediaSize < METADATA_BYTES) {
    const text = `Unable to read metadata: the component has only ${String(disk.mediaSize)} bytes`;
    done(portError('EINVAL', text), null);
    return;
  }
  const block = newBuffer(METADATA_BYTES);
  disk.read(0, block, (error) => {
    if (error !== null) {
      done({ code: error.code, message: `Unable to read metadata: ${error.message}` }, null);
      return;
    }
    const { mediaSize, sectorSize } = disk;
    const metadata = decodeMetadata(block, { resource, mediaSize, sectorSize }, codecs);
    if (isPortError(metadata)) {
      done(metadata, null);
      return;
    }
    const bits = newBuffer(mapRegionBytes(metadata, metadata.extentsize, sectorSize));
    disk.read(METADATA_BYTES, bits, (failure) => {
      const durableBits = bits.slice();
      if (failure !== null) {
        log.write(
          'error',
          `Unable to read the activemap (${failure.message}); every extent counts as dirty.`,
        );
        bits.fill(0xff);
        durableBits.fill(0);
      }
      disk.flush((fault) => {
        if (fault === null || fault.code === 'EOPNOTSUPP') done(null, { metadata, bits, durableBits });
        else done({ code: fault.code, message: `Unable to flush metadata: ${fault.message}` }, null);
      });
    });
  });
}
