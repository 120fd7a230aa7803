import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { MetadataStore } from '../../core/metadata/store.js';
import { LineageKeeper } from '../../core/primary/lineage-keeper.js';
import { simCodecs } from '../../sim/codecs.js';
import { SimLog } from '../../sim/log.js';
import { SimProcess } from '../../sim/process.js';
import { ManualDisk } from '../../properties/request/manual-disk.js';

class World {
  readonly process = new SimProcess('worker');
  readonly log = new SimLog();
  readonly disk: ManualDisk;
  readonly metadata: MetadataStore;
  readonly keeper: LineageKeeper;
  readonly heard: string[] = [];
  /** What the entropy gives next. */
  ids = [0n, 11n, 12n];

  constructor(changes: Partial<Metadata> = {}) {
    const fixed = {
      resource: 'r0',
      datasize: 4096,
      extentsize: 4096,
      keepdirty: 2,
      prevrole: 'primary',
    } as const;
    const localoff = METADATA_BYTES + 512;
    const counts = { resuid: 7n, localcnt: 0n, remotecnt: 0n };
    const current = { ...fixed, localoff, ...counts, incomplete: false, localBad: [], ...changes };
    this.disk = new ManualDisk(localoff + 4096, (callback) => {
      this.process.run(callback);
    });
    this.metadata = new MetadataStore({ disk: this.disk, codecs: simCodecs, log: this.log }, current);
    const entropy = {
      bytes: (length: number) => {
        const bytes = new Uint8Array(length);
        new DataView(bytes.buffer).setBigUint64(0, this.ids.shift() ?? 99n, true);
        return bytes;
      },
    };
    this.keeper = new LineageKeeper(this.metadata, entropy, this.log);
  }

  separate(name = 'separated'): void {
    this.process.run(() => {
      this.keeper.separate((error) => this.heard.push(error === null ? name : `${name}: ${error.code}`));
    });
  }

  rejoin(localcnt: bigint, remotecnt: bigint): void {
    this.process.run(() => {
      this.keeper.rejoin({ localcnt, remotecnt }, (error) => this.heard.push(error?.code ?? 'rejoined'));
    });
  }

  identify(): void {
    this.process.run(() => {
      this.keeper.identify((error, virgin) => this.heard.push(error?.code ?? (virgin ? 'virgin' : 'known')));
    });
  }

  complete(code: string | null = null): void {
    const [order] = this.disk.orders;
    if (order !== undefined) this.disk.complete(order, code);
  }

  counts(): string {
    const { resuid, localcnt, remotecnt } = this.metadata.current;
    return `${String(resuid)} (${String(localcnt)},${String(remotecnt)})`;
  }
}

describe('lineage keeper', () => {
  it('I16: the count is durable before anybody is told, and everybody who waits shares it', () => {
    const world = new World();
    world.separate('one');
    world.separate('two');
    expect(world.keeper.storing).toBe(true);
    world.complete();
    expect(world.heard).toEqual([]);
    world.complete();
    expect(world.heard).toEqual(['one', 'two']);
    expect(world.counts()).toBe('7 (1,0)');
    expect([world.keeper.separated, world.keeper.storing]).toEqual([true, false]);
  });

  it('W2: a fresh worker counts although an earlier one did', () => {
    const world = new World({ localcnt: 1n });
    expect(world.keeper.separated).toBe(false);
    world.separate();
    world.disk.completeAll();
    expect(world.counts()).toBe('7 (2,0)');
  });

  it('W5: a node without a resource id gets one with its first count, never 0', () => {
    const world = new World({ resuid: 0n });
    world.separate();
    world.disk.completeAll();
    expect(world.counts()).toBe('11 (1,0)');
  });

  it('W14: a count that cannot be stored is none, and the next write tries again', () => {
    const world = new World();
    world.separate('one');
    world.complete('EIO');
    expect(world.heard).toEqual(['one: EIO']);
    expect(world.keeper.separated).toBe(false);
    world.separate('two');
    world.disk.completeAll();
    expect(world.heard).toEqual(['one: EIO', 'two']);
    expect(world.counts()).toBe('7 (1,0)');
  });

  it('rejoins with the counters of the peer (M6), and the next lonely write counts anew', () => {
    const world = new World({ localcnt: 3n });
    world.separate();
    world.disk.completeAll();
    world.rejoin(5n, 2n);
    world.disk.completeAll();
    expect(world.counts()).toBe('7 (2,5)');
    expect(world.keeper.separated).toBe(false);
    world.separate();
    world.disk.completeAll();
    expect(world.counts()).toBe('7 (3,5)');
  });

  it('a count that was stored before the nodes rejoined says nothing about later writes', () => {
    const world = new World();
    world.separate();
    world.rejoin(0n, 0n);
    world.disk.completeAll();
    expect(world.heard).toEqual(['separated', 'rejoined']);
    expect(world.keeper.separated).toBe(false);
  });

  it('identifies a virgin durably before a peer hears of it (M3)', () => {
    const world = new World({ resuid: 0n });
    world.identify();
    expect(world.heard).toEqual([]);
    world.disk.completeAll();
    expect(world.heard).toEqual(['virgin']);
    world.identify();
    expect(world.heard).toEqual(['virgin', 'known']);
    expect(world.counts()).toBe('11 (0,0)');
  });

  it('a virgin that wrote alone while it was being identified is none (W5)', () => {
    const world = new World({ resuid: 0n });
    world.separate();
    world.identify();
    world.disk.completeAll();
    expect(world.heard).toEqual(['separated', 'known']);
    expect(world.counts()).toBe('11 (1,0)');
  });

  it('tells that it could not store the id', () => {
    const world = new World({ resuid: 0n });
    world.identify();
    world.complete('EIO');
    expect(world.heard).toEqual(['EIO']);
  });

  it('tries the same id again: the first one may be on the disk all the same (I28)', () => {
    const world = new World({ resuid: 0n });
    world.identify();
    world.complete();
    world.complete('EIO');
    expect(world.heard).toEqual(['EIO']);
    world.identify();
    world.disk.completeAll();
    expect(world.heard).toEqual(['EIO', 'virgin']);
    expect(world.counts()).toBe('11 (0,0)');
  });
});
