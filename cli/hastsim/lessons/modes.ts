import type { Lesson } from './lesson.js';

const SETUP = 'extents=2 extent-bytes=2048 keepdirty=1 timeout=5';

export const MODES: Lesson = {
  title: 'The three modes, and what each may lose',
  about:
    'When may an application be told that its write is done? The sooner, the faster; the later, the more can break before data ' +
    'is lost. HAST has three answers: fullsync, memsync and async. Here the disk of b is slow, so that one can see the difference.',
  acts: [
    {
      setup: `replication=fullsync ${SETUP}`,
      before: 'pair\nslow b write 50ms',
      pages: [
        {
          text: 'fullsync: done means written by both nodes.',
          script: 'write 0 = A\nuntil idle',
          look: 'The last thing to happen is the answer: a waits for the disk of b.',
        },
        {
          text: 'In the next moment the power of a fails, and b takes over.',
          script: 'power off a\nrole b primary\nuntil device on b\nexpect read 0 = A',
          brief: true,
          look: 'A is there. The loss of either node, at any time, costs nothing that was acknowledged.',
        },
      ],
    },
    {
      setup: `replication=memsync ${SETUP}`,
      before: 'pair\nslow b write 50ms',
      pages: [
        {
          text: 'memsync: done means written here, and received by the other node.',
          script: 'write 0 = A\nuntil idle',
          look:
            'b confirms as soon as A is in its memory, and the application goes on. The disk of b is still busy: its line does not ' +
            'show A yet.',
        },
        {
          text: 'The power of a fails right now, and b takes over.',
          script: 'power off a\nrole b primary\nuntil device on b\nexpect read 0 = A',
          look:
            'The device of b appears only after everything that b had received is on its disk: nothing is lost. For a loss, both ' +
            'must fail within milliseconds.',
        },
      ],
    },
    {
      // What the disk does with the write when the power goes is chance: a seed in which it is lost.
      setup: `seed=2 replication=memsync ${SETUP}`,
      before: 'pair\nslow b write 50ms',
      pages: [
        {
          text: 'So let both fail: the power of the whole room, right after the answer. And a never comes back.',
          script:
            'write 0 = A\nuntil idle\npower off a\npower off b\nwait 1s\nrepair b\npower on b\n' +
            'start b\nrole b primary\nuntil device on b\nexpect read 0 = zero',
          brief: true,
          look:
            'A is gone, though it was acknowledged: it was in the memory of b, and in the cache of the disk of a. No mode is proof ' +
            'against the loss of both; in fullsync it would have been in two caches. What must survive that needs a flush, ' +
            'which covers both disks in every mode.',
        },
      ],
    },
    {
      setup: `replication=async ${SETUP}`,
      before: 'pair',
      pages: [
        {
          text: 'async: done means written here. At this very moment the link breaks, and nobody has noticed yet.',
          script: 'cut a->b\nwrite 0 = A\nuntil idle',
          look: 'The answer does not wait for b at all; that A never arrives there will be noticed in some seconds.',
        },
        {
          text: 'But before that, the power of a fails, too. b takes over, and applications write to it.',
          script:
            'power off a\nwait 1s\nrole b primary\nuntil device on b\nexpect read 0 = zero\nwrite 4 = B\nuntil idle',
          brief: true,
          look:
            'A is not there. At most the last 256 requests can be missing, but those can. That is the price, and it has to be ' +
            'known.',
        },
        {
          text: 'a comes back, as secondary.',
          script: 'heal\nstart a\nrole a secondary\nuntil in-sync\nexpect equal\nexpect block 0 = zero',
          brief: true,
          look:
            'b is the one who wrote alone, so its data counts. The extent of A is marked in the map of a and copied back as well: ' +
            'both are equal, without A. Not what one wished for, but one truth and not two.',
        },
      ],
    },
  ],
  moral:
    'fullsync: nothing, as long as one of the nodes survives. memsync: nothing, unless the primary is lost and the ' +
    'other one fails in the same moment. async: the last few requests, whenever the primary is lost. A flush is the same in all ' +
    'three: what it covered is on both disks.',
};
