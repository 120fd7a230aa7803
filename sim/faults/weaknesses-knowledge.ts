/** Weaknesses of the reference in what the nodes know of each other: counters, metadata, map. */
import type { Mutant } from './mutant.js';

const ACTIVEMAP = 'activemap/activemap.js';
const SYNCHRONIZER = 'primary/synchronizer.js';
const STORE = 'metadata/store.js';
const MAP_STORE = 'activemap/map-store.js';
const PRIMARY = 'primary/primary.js';

export const weaknessesOfKnowledge: readonly Mutant[] = [
  {
    id: 'w2-not-counted-again',
    title: 'A promoted node whose counter is above 0 never raises it, so its writes look like none.',
    weakness: 'W2',
    invariant: 'I14',
    profile: 'default',
    patches: [
      {
        file: 'primary/write-request.js',
        find: '(lonely && !lineage.separated)',
        replace:
          '(lonely && this.#parts.metadata.current.localcnt === this.#parts.link.peerCounts.remotecnt)',
      },
    ],
  },
  {
    id: 'w3-metadata-not-flushed',
    title: 'Metadata is written, but never flushed.',
    weakness: 'W3',
    invariant: 'I16',
    profile: 'default',
    patches: [
      {
        file: STORE,
        find: 'this.#disk.flush(this.#flushed);',
        replace: 'this.#finish(null);',
      },
    ],
  },
  {
    id: 'w5-first-writes-not-counted',
    title: 'Writes before the first connection are invisible to the counters.',
    weakness: 'W5',
    invariant: 'I12',
    profile: 'default',
    patches: [
      {
        file: 'primary/lineage-keeper.js',
        find: 'this.#waiters.push(done);',
        replace: `
          if (this.#metadata.current.resuid === 0n)
            return done(null);
          this.#waiters.push(done);`,
      },
      {
        file: 'handshake/verdict.js',
        find: `primary.virgin && mapIsClean ? 'none' : 'full'`,
        replace: `primary.virgin ? 'none' : 'full'`,
      },
    ],
  },
  {
    id: 'w6-id-before-map',
    title: 'A new secondary takes over the resource id without remembering that it needs everything.',
    weakness: 'W6',
    invariant: 'I17',
    profile: 'handshake',
    patches: [
      {
        file: 'secondary/acceptance.js',
        find: `if (!verdict.adopts || verdict.map !== 'full') {`,
        replace: 'if (true) {',
      },
    ],
  },
  {
    id: 'w7-map-over-user-data',
    title: 'The size of the map is computed from the size of the component, and erasing it hits user data.',
    weakness: 'W7',
    invariant: 'I24',
    profile: 'geometry',
    patches: [
      {
        file: 'metadata/geometry.js',
        find: 'return Math.min(mapBytes(geometry.datasize, extentsize, sectorSize), geometry.localoff - METADATA_BYTES);',
        replace: 'return mapBytes(geometry.localoff + geometry.datasize, extentsize, sectorSize);',
      },
    ],
  },
  {
    id: 'w8-not-marked',
    title: 'A copy that is being written over is not marked incomplete, and is used as if it were whole.',
    weakness: 'W8',
    invariant: 'I18',
    profile: 'default',
    patches: [
      {
        file: 'metadata/codec.js',
        find: `
          if (metadata.incomplete)
            pairs.push(nv.uint8('incomplete', 1));`,
        replace: '',
      },
    ],
  },
  {
    id: 'w8-offered-at-once',
    title: 'A primary with an incomplete copy offers its device before its source has connected.',
    weakness: 'W8',
    invariant: 'I18',
    profile: 'default',
    patches: [
      {
        file: PRIMARY,
        find: `
          if (incomplete)
            log.write('warning', 'Local copy is incomplete; no device until its source connects.');
          else
            this.#createDevice();`,
        replace: 'this.#createDevice();',
      },
    ],
  },
  {
    id: 'w12-merge-forgets-writes',
    title: 'Merging the map of the peer forgets which writes are in flight.',
    weakness: 'W12',
    invariant: 'I2',
    profile: 'handshake',
    patches: [
      {
        file: ACTIVEMAP,
        find: `
          this.image.add(bits);
          if (`,
        replace: `
          for (const extent of this.#inFlight.keys())
            if ((bits[extent >> 3] ?? 0) & (1 << (extent & 7)))
              this.#inFlight.delete(extent);
          this.image.add(bits);
          if (`,
      },
    ],
  },
  {
    id: 'w13-keepdirty-of-one',
    title: 'With keepdirty 1 the worker aborts at the second extent that is written.',
    weakness: 'W13',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: 'activemap/keepdirty.js',
        find: 'this.#extents.delete(evicted);',
        replace: `
          if (this.#limit === 1)
            throw new Error('the list of recently written extents is empty');
          this.#extents.delete(evicted);`,
      },
    ],
  },
  {
    id: 'w14-map-errors-ignored',
    title: 'A map that could not be written or flushed counts as stored.',
    weakness: 'W14',
    invariant: 'I10',
    profile: 'default',
    patches: [
      {
        file: MAP_STORE,
        find: `
          this.writeErrors++;
          this.#finish(error);`,
        replace: `
          this.writeErrors++;
          this.#finish(null);`,
      },
    ],
  },
  {
    id: 'w14-metadata-errors-ignored',
    title: 'Metadata that could not be written or flushed counts as stored.',
    weakness: 'W14',
    invariant: 'I16',
    profile: 'default',
    patches: [
      {
        file: STORE,
        find: `
          if (error !== null)
            this.#finish(error);`,
        replace: `
          if (error !== null)
            this.#finish(null);`,
      },
      {
        file: STORE,
        find: `this.#finish(error?.code === 'EOPNOTSUPP' ? null : error);`,
        replace: 'this.#finish(null);',
      },
    ],
  },
  {
    id: 'w15-bit-before-flush',
    title: 'A dirty bit leaves the disk while the data is still in volatile caches.',
    weakness: 'W15',
    invariant: 'I7',
    profile: 'eviction',
    patches: [
      {
        file: ACTIVEMAP,
        find: `
          this.#keepdirty.has(extent) ||
          this.#unflushed.has(extent);`,
        replace: 'this.#keepdirty.has(extent);',
      },
    ],
  },
  {
    id: 'w15-lost-cache-not-copied',
    title: 'What a secondary had not flushed when its power failed is not copied again.',
    weakness: 'W15',
    invariant: 'I7',
    profile: 'default',
    patches: [
      {
        file: ACTIVEMAP,
        find: `
          for (const extent of this.#unflushed.keys())
            this.#mark(extent);`,
        replace: '',
      },
    ],
  },
  {
    id: 'w15-counters-before-flush',
    title: 'The counters and the map say that the nodes are equal before what was copied is flushed.',
    weakness: 'W15',
    invariant: 'I6',
    profile: 'default',
    patches: [
      {
        file: SYNCHRONIZER,
        find: `
          if (!this.#started) {
            this.#agree(session);`,
        replace: `
          if (true) {
            this.#agree(session);`,
      },
      {
        file: ACTIVEMAP,
        find: `
          this.#sync.clear(extent);
          this.#unflushed.set(extent, this.#generation);`,
        replace: `
          this.#sync.clear(extent);
          this.#unflushed.delete(extent);
          this.#settle(extent);`,
      },
    ],
  },
  {
    id: 'w33-checksum-not-verified',
    title: 'Damaged metadata is believed.',
    weakness: 'W33',
    invariant: 'I15',
    profile: 'damage',
    patches: [
      {
        file: 'metadata/codec.js',
        find: `if (list.number('crc32', 'uint32') !== codecs.crc32(covered))`,
        replace: 'if (false)',
      },
    ],
  },
];
