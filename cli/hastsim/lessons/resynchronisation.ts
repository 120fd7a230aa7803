import type { Lesson } from './lesson.js';

export const RESYNCHRONISATION: Lesson = {
  title: 'Resynchronisation',
  about:
    'One node is away for a while, and the other one goes on. When it is back, two questions have to be answered: whose data ' +
    'is the newer, and where do the copies differ? Two counters answer the first one, the map the second.',
  acts: [
    {
      setup: 'extents=4 extent-bytes=2048 keepdirty=1 timeout=5',
      pages: [
        {
          text: 'A pair at work. Three blocks are written, then there is time to flush.',
          script: 'pair\nwrite 0 = A\nwrite 4 = B\nwrite 8 = C\nuntil idle\nwait 12s',
          brief: true,
          look:
            'Both copies are equal. The counters of a are "a0 b0": how often a wrote without b, and how often b wrote without a, ' +
            'as far as a knows. The other line tells what b knows.',
        },
        {
          text: 'b dies. An application writes D.',
          script: 'kill b\nuntil not connected\nwrite 4 = D\nuntil idle',
          look:
            'Before the application hears "done", a stores that it has written alone: its counter is 1 now, durably. From here on ' +
            'anybody who reads both disks can tell that the data of a is the newer.',
        },
        {
          text: 'More is written.',
          script: 'write 5 = E\nwrite 12 = F\nuntil idle',
          look: 'The counter stays: it counts separations, not writes. What differs is in the map: extents 1 and 3.',
        },
        {
          text: 'b comes back.',
          script: 'start b\nrole b secondary\nuntil in-sync\nexpect equal',
          look:
            'a tells its counters when it attaches; b compares, finds itself behind ("the primary has the good data"), and is ' +
            'given the dirty extents. Only when everything has been copied and flushed do both store the same counters.',
        },
        {
          text: 'Once more, but now the connections break in the middle of the synchronisation.',
          script:
            'kill b\nuntil not connected\nwrite 0 = G\nwrite 8 = H\nwrite 13 = I\nuntil idle\nbandwidth a->b 50kB/s\n' +
            'start b\nrole b secondary\nuntil event a syncstart\n+70ms refuse b\nreset\nuntil event a syncintr',
          brief: true,
          look:
            'b has some of the new data and some of the old: a mixture that never was on any disk. It knows: "incomplete" is on ' +
            'its disk, since before the first extent was copied. It will not offer its device until it is complete, whoever dies now.',
        },
        {
          text: 'The network is repaired.',
          script: 'heal\nuntil in-sync\nexpect equal\nexpect complete b',
          brief: true,
          look: 'What was missing has been copied. The bits on the disk told where to go on.',
        },
        {
          text: 'At last, the disk of b is replaced by an empty one.',
          script:
            'stop b\nuntil not connected\ncreate b\nstart b\nrole b secondary\nuntil in-sync\nexpect equal',
          brief: true,
          look:
            'A virgin has no counters to compare. It gets everything; and it marks every extent in its own map before it takes ' +
            'over the identity of the pair, so that not even a crash right then can make it look as if it had the data.',
        },
      ],
    },
  ],
  moral:
    'Counters say who, the map says where, and both are on the disk before anybody relies on them: before an acknowledgement, ' +
    'before a copy begins, before an answer is given. That is why an interrupted synchronisation is no accident, only a pause.',
};
