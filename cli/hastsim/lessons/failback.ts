import type { Lesson } from './lesson.js';

export const FAILBACK: Lesson = {
  title: 'Failover and failback',
  about:
    'The primary dies, the secondary takes over, the old primary is repaired and gets its place back. Four changes of roles, and ' +
    'nothing that was acknowledged may be lost in any of them.',
  acts: [
    {
      setup: 'extents=4 extent-bytes=2048 keepdirty=1 timeout=5',
      pages: [
        {
          text: 'A pair at work; then the power of a fails.',
          script:
            'pair\nwrite 0 = A\nwrite 4 = B\nuntil idle\nwait 7s\nwrite 5 = C\nuntil idle\npower off a\nwait 1s',
          brief: true,
          look: 'C may or may not be on the disk of a. It is on the disk of b, or in its cache: fullsync.',
        },
        {
          text: 'Failover: b becomes primary, and applications go on there.',
          script: 'role b primary\nuntil device on b\nexpect read 5 = C\nwrite 8 = D\nuntil idle',
          look:
            'All is there. A new primary gives the other node three seconds to show up, then it goes on alone; with the first ' +
            'write that a lacks, b stores that it did (b1).',
        },
        {
          text: 'a is repaired. First of all it becomes secondary.',
          script: 'power on a\nstart a\nrole a secondary\nuntil in-sync\nexpect equal',
          look:
            'b is the newer one and gives its dirty extents to a. The map of a is merged into it first: extent 1, in which a may ' +
            'or may not have C, is copied, too.',
        },
        {
          text: 'Failback: the roles are exchanged in an orderly way. b first, so that there is never more than one primary.',
          script:
            'write 9 = E\nrole b secondary\nuntil no device\nrole a primary\nuntil device on a\nuntil in-sync\n' +
            'expect read 9 = E\nexpect equal',
          look:
            'b takes nothing new, ends what it had begun, flushes both nodes, and goes. When the device of a appears, E is there: an ' +
            'orderly change of roles loses nothing, not even in async (I29).',
        },
        {
          text: 'Once more, with less patience: a dies, b takes over, and a comes back as primary at once, though b has the newer data.',
          script:
            'write 12 = F\nuntil idle\npower off a\nwait 1s\nrole b primary\nuntil device on b\nwrite 0 = G\nwrite 13 = H\n' +
            'until idle\nrole b secondary\npower on a\nstart a\nrole a primary\nuntil device on a\nexpect read 0 = G\n' +
            'expect read 13 = H\nuntil in-sync\nexpect equal',
          look:
            'The data flows backwards, from the secondary to the primary. While it does, reads of extents that are not yet copied ' +
            'are answered with the data of b, and writes go to both. Applications notice nothing, or wait a little.',
        },
      ],
    },
  ],
  moral:
    'Promote only when the other one is surely down (see lesson 4), let the old primary return as secondary, wait until it is ' +
    'synchronised, then exchange roles, first down, then up. Everything in between, HAST remembers on its disks.',
};
