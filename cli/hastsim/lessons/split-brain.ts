import type { Lesson } from './lesson.js';

export const SPLIT_BRAIN: Lesson = {
  title: 'Split-brain, and the way out',
  about:
    'Two nodes that cannot see each other, and an operator, or a script, who makes the second one primary while the first one ' +
    'still is. Both take writes. There are two truths now, and no program can say which one is right.',
  acts: [
    {
      setup: 'extents=4 extent-bytes=2048 keepdirty=1 timeout=5',
      pages: [
        {
          text: 'A pair at work.',
          script: 'pair\nwrite 0 = A\nuntil idle\nwait 7s',
          brief: true,
          look: 'Equal copies, equal counters.',
        },
        {
          text: 'The network between the nodes breaks. Applications go on writing to a.',
          script: 'cut\nwrite 1 = B\nuntil idle within 2min',
          look:
            'Nothing tells a that the link is dead, only silence: it waits for b until the timeout. Then it stores that it writes ' +
            'alone (a1), and answers.',
        },
        {
          text: 'Somebody sees that b is alone, believes a to be dead, and makes b primary. Applications write there, too.',
          script: 'role b primary\nuntil device on b\non b write 8 = C\nuntil idle',
          look: 'Now b has written alone as well, and says so (b1). Each of them knows only its own half of the story.',
        },
        {
          text: 'The network is repaired, and b is made secondary again.',
          script: 'heal\nrole b secondary\nuntil event b split-brain',
          look:
            'The counters meet: a has written without b, and b without a. That is the one sure sign, and nothing is copied in ' +
            'either direction. a goes on alone; b reports "split-brain" through its hook and waits for a human being.',
        },
        {
          text: 'Time passes. Nothing gets better by itself.',
          script: 'wait 60s\nexpect event b split-brain once',
          brief: true,
          look: 'It is reported once, not every few seconds. Both copies are as they were: B only on a, C only on b.',
        },
        {
          text:
            'The operator compares, rescues what is needed from b by hand, decides for a, and gives up the copy of b: hastctl role init, ' +
            'hastctl create, hastctl role secondary.',
          script:
            'role b init\nuntil no worker on b\ncreate b\nrole b secondary\nuntil in-sync\nexpect equal\nexpect block 8 = zero',
          brief: true,
          look: 'b is a virgin and gets everything from a. One truth again; C is gone, because somebody decided so.',
        },
      ],
    },
  ],
  moral:
    'HAST recognises a split-brain always, if and only if both sides have written alone (I12, I13), and never resolves it. To prevent it ' +
    'is the business of whoever promotes nodes: fence the old primary first.',
};
