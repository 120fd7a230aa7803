/** Implementations other than ours that a node can run: ours, with what makes up the difference. */
import { unreachable } from '../../core/base/assert.js';
import type { CoreName } from '../script/script.js';
import type { Mutant } from './mutant.js';
import { weaknesses } from './table.js';

/** A peer of before memsync: it knows the first version of the protocol. */
const FIRST_PROTOCOL: Mutant = {
  id: 'protocol-1',
  title: 'It speaks the first version of the protocol.',
  invariant: 'I3',
  profile: 'old-peer',
  patches: [
    {
      file: 'wire/frame.js',
      find: 'export const PROTOCOL_VERSION = 2;',
      replace: 'export const PROTOCOL_VERSION = 1;',
    },
  ],
};

/** What the implementation does otherwise than ours. */
export function differencesOf(core: CoreName): readonly Mutant[] {
  switch (core) {
    case 'own':
      return [];
    case 'freebsd-12.1':
      return weaknesses;
    case 'protocol-1':
      return [FIRST_PROTOCOL];
    default:
      return unreachable(core);
  }
}
