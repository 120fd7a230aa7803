/** Weaknesses of the reference that leave no trace in the data, the progress or the events of two nodes of ours. */
import type { JudgedByTest } from './mutant.js';

export const judgedByTests: readonly JudgedByTest[] = [
  {
    weakness: 'W19',
    test: 'test/interop/wire.ts',
    why: 'errors of the peer are counters in a status: no history depends on them',
  },
  {
    weakness: 'W23',
    test: 'test/secondary/receiver.test.ts',
    why: 'a primary of ours never sends a request that is rejected, nor an unknown command',
  },
  {
    weakness: 'W24',
    test: '.config/eslint.config.js',
    why: 'the core cannot read a wall clock: its port has none, and the lint forbids the global ones',
  },
  {
    weakness: 'W36',
    test: 'test/scenarios/w36-falls-to-init.hast',
    why: 'a role that changes while something is wrong with the disk has an excuse: only a script can know better',
  },
  {
    weakness: 'W37',
    test: 'properties/request/range-locks.test.ts',
    why: 'about speed: the data ends the same',
  },
  {
    weakness: 'W38',
    test: 'test/daemon/acceptor.test.ts',
    why: 'a primary of ours never makes its second connection without the first',
  },
  {
    weakness: 'W39',
    test: 'test/cli/hastctl-component.test.ts',
    why: 'create is a program of its own, which no worker takes part in',
  },
];
