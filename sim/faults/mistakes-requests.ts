/** Mistakes in the life of a request: when it is issued, when and how it is acknowledged, what it gives back. */
import type { Mutant } from './mutant.js';

const WRITE = 'primary/write-request.js';
const ACKNOWLEDGE = 'request/acknowledge.js';
const INTAKE = 'primary/intake.js';
const SESSION = 'primary/session.js';

export const mistakesWithRequests: readonly Mutant[] = [
  {
    id: 'ack-before-peer',
    title: 'In fullsync mode a write is acknowledged when it is done here.',
    invariant: 'I3',
    profile: 'default',
    patches: [
      { file: ACKNOWLEDGE, find: `return finished ? 'success' : 'wait';`, replace: `return 'success';` },
    ],
  },
  {
    id: 'ack-before-disk',
    title:
      'In memsync mode a write is acknowledged when the peer has received it, whether it is done here or not.',
    invariant: 'I4',
    profile: 'default',
    patches: [
      {
        file: ACKNOWLEDGE,
        find: `if (local === 'pending')`,
        replace: `if (local === 'pending' && (mode !== 'memsync' || remote === 'pending'))`,
      },
    ],
  },
  {
    id: 'issue-before-bits',
    title: 'A write is issued before its dirty bits are on the disk.',
    invariant: 'I10',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: `
            if (this.#parts.mapStore.holds(this.#extents))
              this.#issue();
            else
              this.#parts.mapStore.persist(this);`,
        replace: `
            this.#parts.mapStore.persist(null);
            this.#issue();`,
      },
    ],
  },
  {
    id: 'range-released-at-once',
    title: 'The range of a write is released when the write is issued, not when it has ended.',
    invariant: 'I22',
    profile: 'resync',
    patches: [
      {
        file: WRITE,
        find: 'localOrder.acquire(this.#localTurn);',
        replace: `
          localOrder.acquire(this.#localTurn);
          this.#parts.ranges.release(this);`,
      },
    ],
  },
  {
    id: 'local-writes-unordered',
    title: 'Overlapping writes are done here in any order.',
    invariant: 'I21',
    profile: 'default',
    patches: [
      {
        file: 'primary/parts.js',
        find: 'new RangeLocks(() => true)',
        replace: 'new RangeLocks(() => false)',
      },
    ],
  },
  {
    id: 'counted-after-ack',
    title: 'The counter is raised after the acknowledgement that needs it.',
    invariant: 'I16',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: 'lineage.separate(this.#promiseStored);',
        replace: `
            {
              lineage.separate(() => undefined);
              this.#promiseStored(null);
            }`,
      },
    ],
  },
  {
    id: 'ack-while-counting',
    title: 'A write is acknowledged while the count that tells of an earlier one is being stored.',
    invariant: 'I12',
    profile: 'memsync',
    patches: [
      {
        file: WRITE,
        find: '(lineage.storing || (lonely && !lineage.separated))',
        replace: '(lonely && !lineage.separated)',
      },
    ],
  },
  {
    id: 'last-piece-decides',
    title: 'A long request succeeds when its last piece did.',
    invariant: 'I1',
    profile: 'disk',
    patches: [{ file: INTAKE, find: 'submission.error ??= error;', replace: 'submission.error = error;' }],
  },
  {
    id: 'first-piece-answers',
    title: 'A long request is answered when its first piece is done.',
    invariant: 'I3',
    profile: 'default',
    patches: [
      {
        file: INTAKE,
        find: 'if (submission.remaining === 0)',
        replace: 'if (submission.answered !== true && (submission.answered = true))',
      },
    ],
  },
  {
    id: 'answered-per-piece',
    title: 'A long request is answered once for each of its pieces.',
    invariant: 'I2',
    profile: 'default',
    patches: [
      { file: INTAKE, find: 'if (submission.remaining === 0)', replace: 'if (submission.remaining >= 0)' },
    ],
  },
  {
    id: 'held-for-ever',
    title: 'A request that waits for the peer is never given up.',
    invariant: 'I25',
    profile: 'resync',
    patches: [
      {
        file: INTAKE,
        find: `this.acknowledge(piece, portError('EIO', 'the newest data is on the peer, which is not connected'));`,
        replace: '',
      },
    ],
  },
  {
    id: 'slot-not-returned',
    title: 'A write whose dirty bits could not be stored keeps its slot.',
    invariant: 'I2',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: `
            this.#parts.statistics.failed('write');
            this.#parts.intake.acknowledge(this.#piece, error);
            this.#parts.intake.finished();`,
        replace: `
            this.#parts.statistics.failed('write');
            this.#parts.intake.acknowledge(this.#piece, error);`,
      },
    ],
  },
  {
    id: 'range-not-released',
    title: 'A write whose dirty bits could not be stored keeps its range.',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: `
            this.#parts.map.writeWithdrawn(this.#extents);
            this.#parts.ranges.release(this);`,
        replace: 'this.#parts.map.writeWithdrawn(this.#extents);',
      },
    ],
  },
  {
    id: 'delete-not-here',
    title: 'A DELETE is done on the peer only.',
    invariant: 'I9',
    profile: 'default',
    patches: [
      {
        file: WRITE,
        find: 'disk.delete(localoff + this.offset, this.length, this.#localFinished);',
        replace: 'disk.read(localoff + this.offset, new Uint8Array(this.length), this.#localFinished);',
      },
    ],
  },
  {
    id: 'lost-request-forgotten',
    title: 'The oldest request of a session is forgotten when the session ends.',
    invariant: 'I25',
    profile: 'default',
    patches: [
      {
        file: 'primary/session.js',
        find: 'const lost = [...this.#outstanding.values()];',
        replace: 'const lost = [...this.#outstanding.values()].slice(1);',
      },
    ],
  },
  {
    id: 'bad-bytes-read',
    title: 'A read of bytes some of which are bad here is served here.',
    invariant: 'I1',
    profile: 'disk',
    patches: [
      {
        file: 'primary/truth.js',
        find: `this.#localBad.split(range).length === 1 ? 'peer' : 'both';`,
        replace: `this.#localBad.split(range).length === 1 ? 'peer' : 'here';`,
      },
    ],
  },
  {
    id: 'read-from-stale-peer',
    title: 'A bad sector is read from a peer that lacks writes of its extent.',
    invariant: 'I1',
    profile: 'resync',
    patches: [
      {
        file: 'primary/read-request.js',
        find: 'if (link.session === null || map.needsSyncIn(extents))',
        replace: 'if (link.session === null)',
      },
    ],
  },
  {
    id: 'bad-mark-stays',
    title: 'Bytes that were bad here stay marked when they are written again.',
    invariant: 'I1',
    profile: 'disk',
    patches: [
      {
        file: WRITE,
        find: `
            else if (truth.isMarked(this))
              truth.localWritten(this, this.#truthStored);`,
        replace: '',
      },
    ],
  },
  {
    id: 'only-copy-not-flushed',
    title:
      'A write that failed here is acknowledged before the peer, which has the only copy, has flushed it.',
    invariant: 'I6',
    profile: 'disk',
    patches: [
      {
        file: WRITE,
        find: 'this.#parts.flusher.flushPeer(this.#onlyCopyFlushed);',
        replace: 'this.#onlyCopyFlushed(null);',
      },
    ],
  },
  {
    id: 'source-not-flushed',
    title: 'While this copy is out of date writes are acknowledged before the peer has flushed them.',
    invariant: 'I19',
    profile: 'resync',
    patches: [
      {
        file: WRITE,
        find: `
            else if (truth.outOfDate)
              flusher.flushPeer(this.#promiseStored);`,
        replace: '',
      },
    ],
  },
  {
    id: 'copy-given-back-early',
    title: 'In async mode the copy of a write is used for the next one before the network has taken it.',
    invariant: 'I23',
    profile: 'async',
    patches: [
      {
        file: SESSION,
        find: 'this.#connA.send([frame, copy], { messageSent });',
        replace: `
          this.#connA.send([frame, copy]);
          messageSent();`,
      },
    ],
  },
];
