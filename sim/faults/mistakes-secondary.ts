/** Mistakes of a secondary, and of the bytes between the nodes. */
import type { Mutant } from './mutant.js';

const EXECUTOR = 'secondary/executor.js';
const SECONDARY = 'secondary/secondary.js';
const RECEIVER = 'secondary/receiver.js';
const PAYLOAD = 'wire/payload.js';

export const mistakesOfTheSecondary: readonly Mutant[] = [
  {
    id: 'flush-overtakes-writes',
    title: 'A FLUSH on the secondary does not wait for the writes before it.',
    invariant: 'I6',
    profile: 'default',
    patches: [
      {
        file: EXECUTOR,
        find: `
            if (later.command === 'flush')
              return changes(earlier);`,
        replace: `
            if (later.command === 'flush')
              return false;`,
      },
    ],
  },
  {
    id: 'read-overtakes-write',
    title: 'A READ on the secondary does not wait for the writes before it.',
    invariant: 'I1',
    profile: 'disk',
    patches: [
      {
        file: EXECUTOR,
        find: 'return changes(earlier) || changes(later);',
        replace: 'return changes(earlier) && changes(later);',
      },
    ],
  },
  {
    id: 'peer-writes-unordered',
    title: 'Overlapping writes are done on the secondary in any order.',
    invariant: 'I21',
    profile: 'default',
    patches: [
      { file: EXECUTOR, find: 'return changes(earlier) || changes(later);', replace: 'return false;' },
    ],
  },
  {
    id: 'write-buffer-given-back-early',
    title: 'The memory of a write is used for the next one before the disk of the secondary has taken it.',
    invariant: 'I11',
    profile: 'default',
    patches: [
      {
        file: EXECUTOR,
        find: 'this.#running.acquire(new Running(order, this.#datasize, this.#run));',
        replace: `
          this.#running.acquire(new Running(order, this.#datasize, this.#run));
          if (order.command === 'write' && order.data !== null)
            this.#buffers.give(order.data);`,
      },
      {
        file: EXECUTOR,
        find: `
          if (order.command === 'write' && order.data !== null)
            this.#buffers.give(order.data);`,
        replace: '',
      },
    ],
  },
  {
    id: 'write-error-dropped',
    title: 'A write that failed on the secondary is answered as done.',
    invariant: 'I9',
    profile: 'default',
    patches: [
      {
        file: EXECUTOR,
        find: 'error: error?.code ?? null };',
        replace: `error: order.command === 'write' ? null : (error?.code ?? null) };`,
      },
    ],
  },
  {
    id: 'flush-error-dropped',
    title: 'A FLUSH that failed on the secondary is answered as done.',
    invariant: 'I6',
    profile: 'flush',
    patches: [
      {
        file: EXECUTOR,
        find: 'error: error?.code ?? null };',
        replace: `error: order.command === 'flush' ? null : (error?.code ?? null) };`,
      },
    ],
  },
  {
    id: 'flush-not-executed',
    title: 'A FLUSH is answered by the secondary without flushing anything.',
    invariant: 'I6',
    profile: 'default',
    patches: [
      {
        file: EXECUTOR,
        find: 'disk.flush(done);',
        replace: 'disk.read(0, new Uint8Array(disk.sectorSize), done);',
      },
    ],
  },
  {
    id: 'received-too-early',
    title: 'The secondary says that it has received a write when it has seen its header.',
    invariant: 'I4',
    profile: 'wire',
    patches: [
      {
        file: EXECUTOR,
        find: `
            execute(order) {
              this.statistics`,
        replace: `
            promise(order) {
              if (order.memsync)
                this.#reply({ seq: order.seq, received: true, error: null });
            }
            execute(order) {
              this.statistics`,
      },
      {
        file: EXECUTOR,
        find: `
            if (order.memsync)
              this.#reply({ seq: order.seq, received: true, error: null });
            if (!this.#erased)`,
        replace: 'if (!this.#erased)',
      },
      {
        file: RECEIVER,
        find: 'const spec = readPayloadSpec(list);',
        replace: `
            this.#executor.promise(request);
            const spec = readPayloadSpec(list);`,
      },
    ],
  },
  {
    id: 'bad-bytes-served',
    title: 'A secondary answers a READ of bytes that it never got right.',
    invariant: 'I1',
    profile: 'disk',
    patches: [
      {
        file: EXECUTOR,
        find: `
            if (command === 'read' && this.#isBad(running.order))
              done(BAD_HERE);
            else if`,
        replace: 'if',
      },
    ],
  },
  {
    id: 'incomplete-not-believed',
    title: 'A secondary that is told that its copy is incomplete stores the opposite.',
    invariant: 'I18',
    profile: 'resync',
    patches: [
      { file: SECONDARY, find: '() => ({ incomplete: !insync })', replace: '() => ({ incomplete: false })' },
    ],
  },
  {
    id: 'incomplete-stored-late',
    title: 'A secondary receives data over its copy before it is marked incomplete.',
    invariant: 'I18',
    profile: 'resync',
    patches: [
      {
        file: RECEIVER,
        find: 'this.#owner.announced(insync, this.#release);',
        replace: `
            this.#owner.announced(insync, () => undefined);
            this.#release();`,
      },
    ],
  },
  {
    id: 'silent-primary-kept',
    title: 'A secondary waits for a silent primary for ever.',
    invariant: 'I25',
    profile: 'network',
    patches: [{ file: SECONDARY, find: 'if (silent || stuck)', replace: 'if (stuck)' }],
  },
  {
    id: 'old-map-kept',
    title: 'A secondary does not erase its map, and what it says is copied again and again.',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: EXECUTOR,
        find: `
            if (!this.#erased)
              this.#eraseMap();`,
        replace: '',
      },
    ],
  },
  {
    id: 'fragments-overwrite',
    title: 'Each fragment of a payload is placed at its beginning.',
    invariant: 'I23',
    profile: 'default',
    patches: [
      {
        file: 'wire/reader.js',
        find: 'return payload.subarray(this.#payloadFilled);',
        replace: 'return payload;',
      },
    ],
  },
  {
    id: 'hole-leaves-buffer',
    title: 'A block of zeros leaves in the buffer what was there.',
    invariant: 'I9',
    profile: 'default',
    patches: [{ file: PAYLOAD, find: 'target.fill(0);', replace: '' }],
  },
  {
    id: 'wrong-byte-order',
    title: 'The length of packed data is read in the wrong byte order.',
    invariant: 'I8b',
    profile: 'default',
    patches: [
      {
        file: PAYLOAD,
        find: 'const announced = viewOf(received).getUint32(0, true);',
        replace: 'const announced = viewOf(received).getUint32(0, false);',
      },
    ],
  },
  {
    id: 'bad-ranges-swapped',
    title: 'Offset and length of a bad range are taken for each other when metadata is read.',
    invariant: 'I1',
    profile: 'disk',
    patches: [
      {
        file: 'metadata/codec.js',
        find: '{ offset: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 }',
        replace: '{ offset: numbers[i + 1] ?? 0, length: numbers[i] ?? 0 }',
      },
    ],
  },
];
