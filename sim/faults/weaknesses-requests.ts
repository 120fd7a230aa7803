/** Weaknesses of the reference in the life of a request: what is acknowledged, when, and what is known of a failure. */
import type { Mutant } from './mutant.js';

const WRITE = 'primary/write-request.js';
const READ = 'primary/read-request.js';
const ACTIVEMAP = 'activemap/activemap.js';

const FORGET_REMOTE_FAILURE = {
  file: WRITE,
  find: `
    map.needSync(this.#extents);
    if (this.#command === 'delete' &&`,
  replace: `if (this.#command === 'delete' &&`,
};
const FORGET_UNFLUSHED = {
  file: ACTIVEMAP,
  find: `
    for (const extent of this.#unflushed.keys())
      this.#mark(extent);`,
  replace: '',
};
const FORGET_IN_FLIGHT = {
  file: ACTIVEMAP,
  find: `
    for (const extent of this.#inFlight.keys())
      this.#mark(extent);`,
  replace: '',
};

export const weaknessesOfRequests: readonly Mutant[] = [
  {
    id: 'w1-error-reply',
    title: 'A write that the peer answers with an error counts as replicated.',
    weakness: 'W1',
    invariant: 'I9',
    profile: 'default',
    patches: [FORGET_REMOTE_FAILURE, { file: WRITE, find: 'link.peerFault(error);', replace: '' }],
  },
  {
    id: 'w1-lost-session',
    title: 'A write that was on its way when the connection broke counts as replicated.',
    weakness: 'W1',
    invariant: 'I9',
    profile: 'default',
    patches: [FORGET_REMOTE_FAILURE, FORGET_UNFLUSHED, FORGET_IN_FLIGHT],
  },
  {
    id: 'w4-lost-on-the-way',
    title: 'A write acknowledged while connected is lost with the connection, and the counters do not tell.',
    weakness: 'W4',
    invariant: 'I12',
    profile: 'network',
    patches: [
      {
        file: WRITE,
        find: `
          if (this.#acknowledged && !lineage.separated)
            this.#separate();`,
        replace: '',
      },
    ],
  },
  {
    id: 'w9-writes-while-out-of-date',
    title: 'A primary that is out of date and has lost its source goes on acknowledging writes.',
    weakness: 'W9',
    invariant: 'I19',
    profile: 'resync',
    patches: [
      { file: WRITE, find: 'if (session === null && truth.outOfDate) {', replace: 'if (false) {' },
      { file: 'request/acknowledge.js', find: 'if (peerHoldsTruth) {', replace: 'if (false) {' },
      {
        file: WRITE,
        find: `
          else if (truth.outOfDate && lonely)
            this.#promiseStored(PEER_LACKS_IT);
          else if (truth.outOfDate)
            flusher.flushPeer(this.#promiseStored);`,
        replace: '',
      },
    ],
  },
  {
    id: 'w16-queue-dropped',
    title: 'A secondary whose session ends drops the writes that it has received and not executed.',
    weakness: 'W16',
    invariant: 'I4',
    profile: 'default',
    patches: [
      { file: 'secondary/secondary.js', find: 'this.#executor.drain();', replace: 'this.#exit(code);' },
    ],
  },
  {
    id: 'w17-failure-acknowledged',
    title:
      'In memsync mode a write that failed here is acknowledged although the peer only has it in memory.',
    weakness: 'W17',
    invariant: 'I1',
    profile: 'default',
    patches: [
      {
        file: 'request/acknowledge.js',
        find: `if (local === 'failed') {`,
        replace: `if (local === 'failed' && mode !== 'memsync') {`,
      },
      {
        file: WRITE,
        find: 'this.#parts.flusher.flushPeer(this.#onlyCopyFlushed);',
        replace: `
          if (this.#remote !== 'ok')
            return this.#truthStored(null);
          this.#parts.flusher.flushPeer(this.#onlyCopyFlushed);`,
      },
    ],
  },
  {
    id: 'w18-local-failure-forgotten',
    title: 'A write that failed here and succeeded on the peer is forgotten: reads return the old data.',
    weakness: 'W18',
    invariant: 'I1',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: `
          if (this.#local === 'failed')
            this.#localCopyIsBad();
          else if (truth`,
        replace: 'if (truth',
      },
    ],
  },
  {
    id: 'w20-one-flush-is-enough',
    title: 'A FLUSH succeeds when one of the nodes has flushed.',
    weakness: 'W20',
    invariant: 'I6',
    profile: 'flush',
    patches: [
      {
        file: 'primary/flush-request.js',
        find: 'if (local === null)',
        replace: `if (local === null || remote === 'ok')`,
      },
      { file: 'primary/flusher.js', find: 'link.peerFault(error);', replace: '' },
    ],
  },
  {
    id: 'w21-delete-outside-map',
    title: 'A DELETE sets no dirty bit and takes no lock.',
    weakness: 'W21',
    invariant: 'I9',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: `
          start() {
            this.#parts.ranges.acquire(this);`,
        replace: `
          start() {
            if (this.#command === 'delete')
              return this.#issue();
            this.#parts.ranges.acquire(this);`,
      },
      {
        file: WRITE,
        find: `
          this.#remote = 'absent';
          map.needSync(this.#extents);`,
        replace: `
          this.#remote = 'absent';
          if (this.#command !== 'delete')
            map.needSync(this.#extents);`,
      },
      {
        file: WRITE,
        find: 'map.writeFinished(this.#extents);',
        replace: `
          if (this.#command !== 'delete')
            map.writeFinished(this.#extents);`,
      },
    ],
  },
  {
    id: 'w22-partial-message-executed',
    title: 'Data that arrived in part before the connection broke is taken for the whole.',
    weakness: 'W22',
    invariant: 'I23',
    profile: 'wire',
    patches: [
      {
        file: 'wire/connection.js',
        find: `
          closed(error) {
            this.#lose(error);`,
        replace: `
          closed(error) {
            if (this.#open)
              this.#reader.endOfStream();
            this.#lose(error);`,
      },
      {
        file: 'wire/reader.js',
        find: `
          hold() {
            this.#held = true;`,
        replace: `
          endOfStream() {
            if (this.#payload === null || this.#held || this.#payloadFilled === 0)
              return;
            this.#payload = null;
            this.#sink.payloadReceived();
          }
          hold() {
            this.#held = true;`,
      },
    ],
  },
  {
    id: 'w26-reload-undone',
    title: 'A reload of the replication mode is undone at the next connection.',
    weakness: 'W26',
    invariant: 'I3',
    profile: 'network',
    patches: [
      {
        file: 'primary/primary.js',
        find: 'this.#startedAt = ports.clock.now();',
        replace: `
          this.#startedAt = ports.clock.now();
          this.firstMode = config.replication;`,
      },
      {
        file: 'primary/primary.js',
        find: 'parts.intake.resume();',
        replace: `
          parts.config = { ...parts.config, replication: this.firstMode };
          parts.intake.resume();`,
      },
    ],
  },
  {
    id: 'w27-direct-reads',
    title: 'Once the nodes were in sync, reads are served here even when the newest data is on the peer.',
    weakness: 'W27',
    invariant: 'I1',
    profile: 'split',
    patches: [
      {
        file: 'primary/link.js',
        find: `const outOfDate = reply.syncsrc === 'secondary';`,
        replace: `
          const outOfDate = reply.syncsrc === 'secondary';
          this.direct = this.direct === true || !outOfDate;`,
      },
      {
        file: READ,
        find: 'switch (truth.of(this.#piece)) {',
        replace: `switch (truth.outOfDate && this.#parts.link.direct === true ? 'here' : truth.of(this.#piece)) {`,
      },
      {
        file: READ,
        find: `if (this.#isNewestHere || truth.of(this.#piece) === 'here')`,
        replace: `if ((truth.outOfDate && this.#parts.link.direct === true) || this.#isNewestHere || truth.of(this.#piece) === 'here')`,
      },
    ],
  },
  {
    id: 'w28-reads-not-held',
    title: 'While the node with the newest data is away for a moment, reads fail instead of waiting for it.',
    weakness: 'W28',
    invariant: 'I25',
    profile: 'resync',
    patches: [
      {
        file: READ,
        find: `
          if (link.session === null)
            intake.hold(this.#piece);`,
        replace: `
          if (link.session === null)
            this.#finish(portError('ENOTCONN', 'Socket is not connected'));`,
      },
      {
        file: READ,
        find: 'this.#parts.intake.hold(this.#piece);',
        replace: 'this.#finish(error);',
      },
    ],
  },
  {
    id: 'w32-failed-twice',
    title: 'A write that failed on both nodes leaves its extent dirty for ever, and not copied.',
    weakness: 'W32',
    invariant: 'I30',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: 'const { map, statistics, synchronizer, lineage, link, log } = this.#parts;',
        replace: `
          const { statistics, synchronizer, lineage, link, log } = this.#parts;
          const map = this.#local === 'failed' ? { needSync: () => undefined } : this.#parts.map;`,
      },
      {
        file: WRITE,
        find: `
          map.needSync(this.#extents);
          this.#acknowledge(this.#error ?? PEER_LACKS_IT);`,
        replace: 'this.#acknowledge(this.#error ?? PEER_LACKS_IT);',
      },
      {
        file: WRITE,
        find: 'const { map, ranges, localOrder, flusher, intake } = this.#parts;',
        replace: `
          const { ranges, localOrder, flusher, intake } = this.#parts;
          const failedTwice = this.#local === 'failed' && this.#remote === 'failed';
          const map = failedTwice ? { writeFinished: () => undefined } : this.#parts.map;`,
      },
      FORGET_IN_FLIGHT,
    ],
  },
  {
    id: 'w35-backlog-dropped',
    title: 'A demoted primary goes at once and drops what the peer has not got yet.',
    weakness: 'W35',
    invariant: 'I29',
    profile: 'default',
    patches: [
      {
        file: 'primary/primary.js',
        find: 'this.#parts.intake.close();',
        replace: 'this.#close(EXIT_OK);',
      },
    ],
  },
  {
    id: 'w40-bad-sector-not-repaired',
    title: 'A sector that was read from the peer because it is bad here is not written back.',
    weakness: 'W40',
    invariant: 'I1',
    profile: 'disk',
    patches: [
      {
        file: READ,
        find: `
          if (this.#localError !== null)
            synchronizer.repair(this.#piece);`,
        replace: '',
      },
      {
        file: READ,
        find: `this.#localError = portError('EIO', error.message);`,
        replace: `this.#localError = portError('EINVAL', error.message);`,
      },
    ],
  },
];
