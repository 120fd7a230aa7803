/** Mistakes with dirty bits: which are set, when they are durable, and when they may go. */
import type { Mutant } from './mutant.js';

const ACTIVEMAP = 'activemap/activemap.js';
const BITMAP = 'activemap/bitmap.js';
const MAP_STORE = 'activemap/map-store.js';
const COMPONENT = 'resource/component.js';
const FLUSHER = 'primary/flusher.js';

export const mistakesWithTheMap: readonly Mutant[] = [
  {
    id: 'first-extent-only',
    title: 'A write that touches two extents marks only the first.',
    invariant: 'I8',
    profile: 'default',
    patches: [
      {
        file: ACTIVEMAP,
        find: 'last: Math.floor((offset + length - 1) / this.extentsize),',
        replace: 'last: Math.floor(offset / this.extentsize),',
      },
    ],
  },
  {
    id: 'last-extent-not-merged',
    title: 'The last extent of a map that is merged is forgotten.',
    invariant: 'I8',
    profile: 'default',
    patches: [
      {
        file: BITMAP,
        find: 'if (added === 0)',
        replace: 'if (added === 0 || (at === (this.size - 1) >> 3 && added === 1 << ((this.size - 1) & 7)))',
      },
    ],
  },
  {
    id: 'merge-replaces',
    title: 'The map of the peer replaces what was to be synchronised instead of being added to it.',
    invariant: 'I8',
    profile: 'default',
    patches: [
      {
        file: ACTIVEMAP,
        find: `
            this.image.add(bits);
            if (`,
        replace: `
            for (let extent = this.#sync.next(0); extent !== -1; extent = this.#sync.next(extent + 1))
              this.#sync.clear(extent);
            this.image.add(bits);
            if (`,
      },
    ],
  },
  {
    id: 'merge-wrong-end',
    title: 'The bits of a map that is merged are read from the wrong end of each byte.',
    invariant: 'I8',
    profile: 'default',
    patches: [
      {
        file: BITMAP,
        find: 'const theirs = bits[at] ?? 0;',
        replace:
          'const theirs = [...Array(8).keys()].reduce((all, bit) => all | (((bits[at] >> bit) & 1) << (7 - bit)), 0);',
      },
    ],
  },
  {
    id: 'eviction-clears-in-flight',
    title: 'An extent that leaves the list of recent ones loses its bit even while it is being written.',
    invariant: 'I8',
    profile: 'default',
    patches: [{ file: ACTIVEMAP, find: 'this.#settle(evicted);', replace: 'this.image.clear(evicted);' }],
  },
  {
    id: 'flush-covers-later-writes',
    title: 'A flush vouches for writes that ended while it was under way.',
    invariant: 'I7',
    profile: 'default',
    patches: [
      { file: ACTIVEMAP, find: 'if (written > generation)', replace: 'if (written > generation + 1)' },
    ],
  },
  {
    id: 'failed-flush-clears-bits',
    title: 'A flush that failed here clears dirty bits.',
    invariant: 'I7',
    profile: 'flush',
    patches: [
      {
        file: FLUSHER,
        find: `if (localOk && outcome.remote !== 'failed') {`,
        replace: `if (outcome.remote !== 'failed') {`,
      },
    ],
  },
  {
    id: 'flush-not-sent',
    title: 'A FLUSH is not sent to the peer.',
    invariant: 'I6',
    profile: 'default',
    patches: [{ file: FLUSHER, find: 'if (link.session !== null) {', replace: 'if (false) {' }],
  },
  {
    id: 'flush-not-here',
    title: 'A FLUSH is sent to the peer, but not done here.',
    invariant: 'I6',
    profile: 'default',
    patches: [
      {
        file: FLUSHER,
        find: 'disk.flush((error) => {',
        replace: '((done) => disk.read(0, new Uint8Array(disk.sectorSize), done))((error) => {',
      },
    ],
  },
  {
    id: 'clearing-overlooked',
    title: 'A bit that an update of the map under way takes from the disk counts as durable.',
    invariant: 'I10',
    profile: 'default',
    patches: [
      {
        file: MAP_STORE,
        find: 'this.#durableWords[at] = (this.#durableWords[at] ?? 0) & (words[at] ?? 0);',
        replace: '',
      },
    ],
  },
  {
    id: 'map-not-flushed',
    title: 'Dirty bits are written, but not flushed.',
    invariant: 'I10',
    profile: 'default',
    patches: [
      { file: MAP_STORE, find: 'writeAll(writes, this.metaflush, ', replace: 'writeAll(writes, false, ' },
    ],
  },
  {
    id: 'failed-map-write-trusted',
    title: 'Bits whose map write failed count as durable for the next write.',
    invariant: 'I10',
    profile: 'flush',
    patches: [
      {
        file: MAP_STORE,
        find: 'this.#changeAgain(offset - METADATA_BYTES, source.length);',
        replace: 'this.#durable.set(source, offset - METADATA_BYTES);',
      },
    ],
  },
  {
    id: 'map-change-forgotten',
    title: 'What changes in the map while an update of it is under way is not stored by the next one.',
    invariant: 'I10',
    profile: 'default',
    patches: [
      {
        file: MAP_STORE,
        find: 'const writes = this.#writing;',
        replace: 'const writes = this.#writing; this.#map.image.takeChanged();',
      },
    ],
  },
  {
    id: 'unreadable-map-is-clean',
    title: 'A map that cannot be read counts as empty.',
    invariant: 'I8',
    profile: 'handshake',
    patches: [{ file: COMPONENT, find: 'bits.fill(0xff);', replace: '' }],
  },
  {
    id: 'read-but-not-durable',
    title: 'What a worker has read of its component may still be lost with the power.',
    invariant: 'I16',
    profile: 'default',
    patches: [
      { file: COMPONENT, find: 'disk.flush((fault) => {', replace: '((done) => done(null))((fault) => {' },
    ],
  },
  {
    id: 'bits-never-cleared',
    title: 'Dirty bits are never cleared: every restart copies all that was ever written.',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: ACTIVEMAP,
        find: `
            if (!dirty)
              this.image.clear(extent);`,
        replace: '',
      },
    ],
  },
  {
    id: 'executing-writes-not-copied',
    title: 'Writes that were under way when the session ended are not copied again.',
    invariant: 'I8',
    profile: 'power',
    patches: [
      {
        file: ACTIVEMAP,
        find: `
            for (const extent of this.#inFlight.keys())
              this.#mark(extent);`,
        replace: '',
      },
    ],
  },
];
