/** Weaknesses of the reference in synchronisation, sessions and reports. */
import type { Mutant } from './mutant.js';

const SYNCHRONIZER = 'primary/synchronizer.js';
const FLOW = 'primary/chunk-flow.js';
const SESSION = 'primary/session.js';
const PRIMARY = 'primary/primary.js';

export const weaknessesOfSessions: readonly Mutant[] = [
  {
    id: 'w10-failed-chunk-counts',
    title: 'A chunk that could not be copied counts as copied.',
    weakness: 'W10',
    invariant: 'I9',
    profile: 'default',
    patches: [{ file: SYNCHRONIZER, find: 'active.failed = true;', replace: '' }],
  },
  {
    id: 'w11-goes-on-in-next-session',
    title:
      'A synchronisation that lost its connection takes the chunk it was at for copied and goes on in the next.',
    weakness: 'W11',
    invariant: 'I9',
    profile: 'default',
    patches: [
      { file: 'primary/copy-plan.js', find: 'this.#active = [];', replace: '' },
      {
        file: SYNCHRONIZER,
        find: `
          for (const flight of this.#flights.values())
            flight.active = null;`,
        replace: '',
      },
      {
        file: SYNCHRONIZER,
        find: `
          if (error === null) {
            this.#progress.copied(chunk.length);`,
        replace: `
          if (error === null || error.code === 'ENOTCONN') {
            this.#progress.copied(chunk.length);`,
      },
    ],
  },
  {
    id: 'w25-bogus-completion',
    title:
      'In async mode every chunk that is copied to the primary is acknowledged to a device that refuses it.',
    weakness: 'W25',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: 'primary/chunk.js',
        find: '#localFinished = (error) => {',
        replace: `
          #localFinished = (error) => {
            if (this.pull && this.#stage === 'writing' && this.#parts.config.replication === 'async')
              this.#parts.intake.acknowledge(null, error);`,
      },
      {
        file: 'primary/intake.js',
        find: 'acknowledge(piece, error) {',
        replace: `
          acknowledge(piece, error) {
            if (piece === null)
              return this.#owner.gone(portError('ENXIO', 'a request was completed that nobody made'));`,
      },
    ],
  },
  {
    id: 'w29-one-number-for-all',
    title:
      'All requests of the synchronisation carry the sequence number 1, as the first of the application does.',
    weakness: 'W29',
    invariant: 'I25',
    profile: 'default',
    patches: [
      {
        file: SESSION,
        find: 'const seq = this.#nextSeq++;',
        replace: `const seq = owner.kind === 'chunk' ? 1 : this.#nextSeq++;`,
      },
      { file: FLOW, find: 'const MOST_CHUNKS = 64;', replace: 'const MOST_CHUNKS = 1;' },
      { file: FLOW, find: 'const FIRST_CHUNKS = 8;', replace: 'const FIRST_CHUNKS = 1;' },
      { file: FLOW, find: 'const LEAST_CHUNKS = 2;', replace: 'const LEAST_CHUNKS = 1;' },
    ],
  },
  {
    id: 'w30-idle-peer-not-probed',
    title: 'A peer that dies while nothing is outstanding is not noticed.',
    weakness: 'W30',
    invariant: 'I25',
    profile: 'network',
    patches: [
      {
        file: SESSION,
        find: `
          if (oldest === undefined && now - heardAt >= KEEPALIVE_MS)
            this.#probe();`,
        replace: '',
      },
    ],
  },
  {
    id: 'w31-reported-each-time',
    title: 'Split-brain is reported again at every attempt to connect.',
    weakness: 'W31',
    invariant: 'I27',
    profile: 'split',
    patches: [{ file: 'daemon/condition-reports.js', find: `return 'known';`, replace: `return 'begins';` }],
  },
  {
    id: 'w31-dual-primary-unreported',
    title: 'Two primaries know of each other, and nobody is told.',
    weakness: 'W31',
    invariant: 'I20',
    profile: 'roles',
    patches: [
      {
        file: 'daemon/acceptor.js',
        find: `
          if (role === 'primary' && first.kind === 'hello')
            resource.peerIsPrimary();`,
        replace: '',
      },
      {
        file: 'primary/link.js',
        find: `
          else if (wait)
            this.#parts.event('dual-primary');`,
        replace: '',
      },
    ],
  },
  {
    id: 'w34-device-left',
    title: 'A device that a dead worker has left is there for whoever is primary next.',
    weakness: 'W34',
    invariant: 'I20',
    profile: 'default',
    patches: [
      {
        file: 'daemon/managed-resource.js',
        find: 'if (leftDevices === undefined)',
        replace: 'if (true)',
      },
    ],
  },
  {
    id: 'w41-not-synchronised',
    title: 'A connection that is made while waiting for the old primary to step down is never synchronised.',
    weakness: 'W41',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: PRIMARY,
        find: `
          if (outcome === 'wait' && waited < this.#config.timeout * 1000)
            return;`,
        replace: `
          if (outcome === 'wait' && waited < this.#config.timeout * 1000) {
            this.waiting = true;
            return;
          }`,
      },
      {
        file: PRIMARY,
        find: 'parts.synchronizer.connected(session);',
        replace: `
          if (this.waiting !== true || this.#serving)
            parts.synchronizer.connected(session);`,
      },
    ],
  },
];
