import type { Lesson } from './lesson.js';

export const DIRTY_BIT: Lesson = {
  title: 'The dirty bit',
  about:
    'A write goes to two disks, and a crash may come between them. Then the copies differ, and somebody has to know where. ' +
    'HAST keeps a bit for each extent of the device, in a map in front of the data, and is strict about when it is on the disk.',
  acts: [
    {
      setup: 'extents=4 extent-bytes=2048 keepdirty=1 timeout=5',
      pages: [
        {
          text:
            'Two nodes, a and b, each with a disk of its own. Applications use the device of the primary, a. It has four ' +
            'extents of four blocks.',
          script: 'pair',
          brief: true,
          look: 'Nothing has been written: both copies are empty, no bit is set.',
        },
        {
          text: 'An application writes A to block 0.',
          script: 'write 0 = A\nuntil idle',
          look:
            'The order is what matters. First the bit of extent 0 goes to the disk of a ("map +0") and is flushed, so that it ' +
            'survives a power failure. Only then does A go anywhere: to the disk of a, and over the wire to b. The ' +
            'application hears "done" when both have it.',
        },
        {
          text: 'Then B to the next block, which is in the same extent.',
          script: 'write 1 = B\nuntil idle',
          look:
            'The map is not written again: the bit is there. That is why extents are large (2 MB as a rule), and why the last ' +
            'few extents that were written keep their bits (keepdirty): most writes find the bit in its place and cost nothing.',
        },
        {
          text: 'A block of another extent; then seven seconds pass.',
          script: 'write 8 = C\nuntil idle\nwait 7s',
          look:
            'Five seconds after the first write a has both disks flushed. The letters are capitals now: they are on the disks, ' +
            'not only in their caches. After that, and never before it, the bit of extent 0 goes ("map -0"). Extent 2 keeps its ' +
            'bit: keepdirty is 1 here.',
        },
        {
          text: 'Now the disk of b is slow, and the power of a fails while D is being written to block 4.',
          script: 'slow b write 100ms\nwrite 4 = D\n+50ms power off a\nwait 1s\nexpect no device',
          look:
            'b has D. Whether a has it is chance: what a disk does with its cache when the power goes, nobody knows. Nor was the ' +
            'application told that the write succeeded, so with or without D would be right. But not one here and the other ' +
            'there, for ever. The map of a tells where to look: extent 1 was marked before anything else happened.',
        },
        {
          text: 'The power comes back.',
          script:
            'repair b\npower on a\nstart a\nrole a primary\nuntil in-sync\nexpect equal\nread 4\nuntil idle\nexpect answer ok',
          look:
            'a copies the extents that have a bit, and no others: on a disk of terabytes, this takes seconds. Both copies are ' +
            'equal again; the application reads one and the same thing from now on, whoever is the primary.',
        },
      ],
    },
  ],
  moral:
    'The bit is durable before the data is anywhere, and goes only after a flush of both disks. If the data came first, a crash ' +
    'in between would leave two different copies and nobody to know it: invariants I8 and I10 of core/spec/replication.md. ' +
    'Try `hastsim mutants` to see what becomes of cores that are less strict.',
};
