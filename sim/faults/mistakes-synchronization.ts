/** Mistakes in copying from node to node, and in keeping the session that it needs. */
import type { Mutant } from './mutant.js';

const SYNCHRONIZER = 'primary/synchronizer.js';
const PLAN = 'primary/copy-plan.js';
const FLOW = 'primary/chunk-flow.js';
const CHUNK = 'primary/chunk.js';
const SESSION = 'primary/session.js';
const LINK = 'primary/link.js';

export const mistakesWithSynchronization: readonly Mutant[] = [
  {
    id: 'chunk-not-locked',
    title: 'A chunk is copied without locking its range.',
    invariant: 'I22',
    profile: 'default',
    patches: [
      {
        file: CHUNK,
        find: `
            start() {
              this.#parts.ranges.acquire(this);`,
        replace: `
            start() {
              this.rangeGranted();`,
      },
    ],
  },
  {
    id: 'chunk-overtakes-write',
    title: 'A chunk does not wait for writes in flight.',
    invariant: 'I22',
    profile: 'default',
    patches: [
      {
        file: 'primary/parts.js',
        find: `new RangeLocks((a, b) => a.kind === 'chunk' || b.kind === 'chunk')`,
        replace: `new RangeLocks((a) => a.kind === 'chunk')`,
      },
    ],
  },
  {
    id: 'write-overtakes-chunk',
    title: 'A write does not wait for a chunk in flight.',
    invariant: 'I22',
    profile: 'default',
    patches: [
      {
        file: 'primary/parts.js',
        find: `new RangeLocks((a, b) => a.kind === 'chunk' || b.kind === 'chunk')`,
        replace: `new RangeLocks((a, b) => b.kind === 'chunk')`,
      },
    ],
  },
  {
    id: 'bad-source-copied',
    title: 'Bytes that are bad here are copied to the peer, which has the good ones.',
    invariant: 'I14',
    profile: 'disk',
    patches: [{ file: CHUNK, find: 'if (!this.#sourceIsGood()) {', replace: 'if (false) {' }],
  },
  {
    id: 'dirty-again-overlooked',
    title: 'An extent that becomes dirty while it is being copied counts as copied.',
    invariant: 'I9',
    profile: 'resync',
    patches: [{ file: PLAN, find: 'else if (active.again) {', replace: 'else if (false) {' }],
  },
  {
    id: 'shared-buffer',
    title: 'All chunks in flight share one buffer.',
    invariant: 'I9',
    profile: 'default',
    patches: [
      {
        file: FLOW,
        find: 'const buffer = this.#buffers.take(this.#parts.maxRequestBytes);',
        replace: 'const buffer = (this.buffer ??= this.#buffers.take(this.#parts.maxRequestBytes));',
      },
    ],
  },
  {
    id: 'chunk-over-metadata',
    title: 'A chunk that comes from the peer is written without the offset of the user data.',
    invariant: 'I24',
    profile: 'default',
    patches: [
      {
        file: CHUNK,
        find: 'this.#parts.disk.write(this.#parts.localoff + this.#part.offset, this',
        replace: 'this.#parts.disk.write(this.#part.offset, this',
      },
    ],
  },
  {
    id: 'half-an-extent',
    title: 'Only the first half of an extent is copied.',
    invariant: 'I9',
    profile: 'default',
    patches: [
      {
        file: PLAN,
        find: 'const end = start + map.lengthOf(extent);',
        replace: 'const end = start + Math.ceil(map.lengthOf(extent) / 1024) * 512;',
      },
    ],
  },
  {
    id: 'first-sector-skipped',
    title: 'The first sector of an extent is not copied.',
    invariant: 'I9',
    profile: 'default',
    patches: [{ file: PLAN, find: 'next: start,', replace: 'next: start + 512,' }],
  },
  {
    id: 'failed-extent-never-retried',
    title: 'An extent that could not be copied is not tried again while the session lasts.',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: SYNCHRONIZER,
        find: `
            else if (this.#plan.hasFailed || this.#plan.hasBadHere)
              this.#retryLater();`,
        replace: `
            else if (this.#plan.hasBadHere)
              this.#retryLater();`,
      },
    ],
  },
  {
    id: 'window-survives-its-session',
    title: 'What was in flight when a session was lost takes up the window of the next one.',
    invariant: 'I8b',
    profile: 'resync',
    patches: [
      {
        file: FLOW,
        find: `
            restart() {
              this.#window = this.#newWindow();`,
        replace: 'restart() {',
      },
      {
        file: FLOW,
        find: 'window.finished(bytes,',
        replace: 'if (succeeded) window.finished(bytes,',
      },
    ],
  },
  {
    id: 'rate-stops-for-good',
    title: 'A chunk that has to wait for the rate is forgotten.',
    invariant: 'I8b',
    profile: 'resync',
    patches: [{ file: FLOW, find: 'this.#ready();', replace: '' }],
  },
  {
    id: 'peer-not-told-incomplete',
    title: 'A primary does not tell its secondary that the copy there is incomplete from now on.',
    invariant: 'I18',
    profile: 'default',
    patches: [{ file: SYNCHRONIZER, find: 'session.announce(false);', replace: '' }],
  },
  {
    id: 'interruption-not-reported',
    title: 'A synchronisation that is interrupted ends without an event.',
    invariant: 'I27',
    profile: 'default',
    patches: [{ file: SYNCHRONIZER, find: `this.#parts.event('syncintr');`, replace: '' }],
  },
  {
    id: 'disconnect-not-reported',
    title: 'The end of a session is not reported.',
    invariant: 'I27',
    profile: 'default',
    patches: [{ file: LINK, find: `this.#parts.event('disconnect');`, replace: '' }],
  },
  {
    id: 'not-reconnected',
    title: 'After the end of a session the peer is not dialled again.',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: LINK,
        find: 'this.#retryAfter(lasted && this.#backoffMs === RECONNECT_MS ? RETURN_MS : this.#backoffMs);',
        replace: '',
      },
    ],
  },
  {
    id: 'silence-unnoticed',
    title: 'A peer that does not answer any more is waited for.',
    invariant: 'I25',
    profile: 'default',
    patches: [{ file: SESSION, find: 'if (stuck || silent || overdue) {', replace: 'if (stuck) {' }],
  },
  {
    id: 'keepalive-not-sent',
    title: 'A primary that has nothing to send sends nothing, and its secondary leaves.',
    invariant: 'I27',
    profile: 'network',
    patches: [
      {
        file: SESSION,
        find: `
            if (this.#connA.unsentBytes === 0 && now - this.#connA.lastSentAt >= KEEPALIVE_MS)
              this.#keepalive(null);`,
        replace: '',
      },
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
    id: 'received-is-final',
    title: 'The first of the two answers to a memsync write counts as the last.',
    invariant: 'I9',
    profile: 'default',
    patches: [
      {
        file: SESSION,
        find: 'else if (reply.received && entry.request.memsync) {',
        replace: 'else if (false) {',
      },
    ],
  },
];
