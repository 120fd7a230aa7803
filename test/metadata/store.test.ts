import { describe, expect, it } from 'vitest';
import { decodeMetadata, type Metadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { MetadataStore } from '../../core/metadata/store.js';
import { isPortError } from '../../core/ports/error.js';
import { simCodecs } from '../../sim/codecs.js';
import { SimLog } from '../../sim/log.js';
import { SimProcess } from '../../sim/process.js';
import { ManualDisk } from '../../properties/request/manual-disk.js';

const METADATA: Metadata = {
  resource: 'r0',
  datasize: 4096,
  extentsize: 4096,
  keepdirty: 2,
  localoff: METADATA_BYTES + 512,
  resuid: 7n,
  localcnt: 0n,
  remotecnt: 0n,
  prevrole: 'init',
  incomplete: false,
  localBad: [],
};

class World {
  readonly process = new SimProcess('worker');
  readonly log = new SimLog();
  readonly disk = new ManualDisk(METADATA.localoff + METADATA.datasize, (callback) => {
    this.process.run(callback);
  });
  readonly store = new MetadataStore({ disk: this.disk, codecs: simCodecs, log: this.log }, METADATA);
  readonly heard: (string | null)[] = [];

  /** Adds one to the local count. */
  count(): void {
    this.process.run(() => {
      this.store.update(
        ({ localcnt }) => ({ localcnt: localcnt + 1n }),
        (error) => this.heard.push(error?.code ?? null),
      );
    });
  }

  complete(code: string | null = null): void {
    const [order] = this.disk.orders;
    if (order === undefined) throw new Error('nothing was asked of the disk');
    this.disk.complete(order, code);
  }

  onDisk(): Metadata {
    const expected = { resource: 'r0', mediaSize: this.disk.mediaSize, sectorSize: 512 };
    const metadata = decodeMetadata(this.disk.bytes.slice(0, METADATA_BYTES), expected, simCodecs);
    if (isPortError(metadata)) throw new Error(metadata.message);
    return metadata;
  }
}

describe('metadata store', () => {
  it('W3: a change has happened when it is written and flushed', () => {
    const world = new World();
    world.count();
    expect(world.disk.orders).toMatchObject([{ operation: 'write', offset: 0, length: METADATA_BYTES }]);
    world.complete();
    expect(world.disk.orders).toMatchObject([{ operation: 'flush' }]);
    expect(world.heard).toEqual([]);
    expect(world.store.current.localcnt).toBe(0n);
    world.complete();
    expect(world.heard).toEqual([null]);
    expect(world.store.current.localcnt).toBe(1n);
    expect(world.onDisk()).toEqual({ ...METADATA, localcnt: 1n });
  });

  it('W18: a change that says that data is here follows the data', () => {
    const world = new World();
    world.process.run(() => {
      world.store.updateAfterData(
        () => ({ localBad: [] }),
        (error) => world.heard.push(error?.code ?? null),
      );
    });
    expect(world.disk.orders).toMatchObject([{ operation: 'flush' }]);
    world.complete();
    expect(world.disk.orders).toMatchObject([{ operation: 'write', offset: 0 }]);
    world.disk.completeAll();
    expect(world.heard).toEqual([null]);
  });

  it('W18: and does not happen when the data cannot be flushed', () => {
    const world = new World();
    world.process.run(() => {
      world.store.updateAfterData(
        () => ({ localcnt: 9n }),
        (error) => world.heard.push(error?.code ?? null),
      );
    });
    world.complete('EIO');
    expect([world.heard, world.disk.orders]).toEqual([['EIO'], []]);
    expect(world.store.current).toEqual(METADATA);
  });

  it('makes one change after the other, each from what the last one left', () => {
    const world = new World();
    world.count();
    world.count();
    expect(world.disk.orders).toHaveLength(1);
    world.disk.completeAll();
    expect(world.heard).toEqual([null, null]);
    expect(world.onDisk().localcnt).toBe(2n);
  });

  it.each(['write', 'flush'] as const)('a change whose %s fails has not happened (W14)', (failing) => {
    const world = new World();
    world.count();
    world.count();
    if (failing === 'flush') world.complete();
    world.complete('EIO');
    expect(world.heard).toEqual(['EIO']);
    expect(world.store.current.localcnt).toBe(0n);
    expect(world.store.writeErrors).toBe(1);
    expect(world.store.doubtful).toBe(true);
    expect(world.log.lines).toEqual([
      { level: 'error', text: `Unable to write metadata: ${failing} failed.` },
    ]);
    world.disk.completeAll();
    expect(world.heard).toEqual(['EIO', null]);
    expect(world.store.doubtful).toBe(false);
    expect(world.onDisk().localcnt).toBe(1n);
  });

  it('needs no flush where the medium has no cache (D8)', () => {
    const world = new World();
    world.count();
    world.complete();
    world.complete('EOPNOTSUPP');
    expect(world.heard).toEqual([null]);
    expect(world.store.current.localcnt).toBe(1n);
  });

  it('bears a change that is asked for from inside an answer', () => {
    const world = new World();
    world.process.run(() => {
      world.store.update(
        () => ({ remotecnt: 5n }),
        () => {
          world.store.update(
            ({ remotecnt }) => ({ remotecnt: remotecnt + 1n }),
            (error) => world.heard.push(error?.code ?? null),
          );
        },
      );
    });
    world.disk.completeAll();
    expect(world.heard).toEqual([null]);
    expect(world.onDisk().remotecnt).toBe(6n);
  });
});
