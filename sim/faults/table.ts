/** Every known defect, and which of them make up the reference. */
import type { Mutant } from './mutant.js';
import { mistakesWithLineage } from './mistakes-lineage.js';
import { mistakesWithTheMap } from './mistakes-map.js';
import { mistakesWithRequests } from './mistakes-requests.js';
import { mistakesOfTheSecondary } from './mistakes-secondary.js';
import { mistakesWithSynchronization } from './mistakes-synchronization.js';
import { weaknessesOfKnowledge } from './weaknesses-knowledge.js';
import { weaknessesOfRequests } from './weaknesses-requests.js';
import { weaknessesOfSessions } from './weaknesses-sessions.js';

/** The weaknesses of the reference that a history of two nodes can show. */
const weaknesses: readonly Mutant[] = [
  ...weaknessesOfRequests,
  ...weaknessesOfKnowledge,
  ...weaknessesOfSessions,
];

export const mutants: readonly Mutant[] = [
  ...weaknesses,
  ...mistakesWithRequests,
  ...mistakesWithTheMap,
  ...mistakesWithLineage,
  ...mistakesWithSynchronization,
  ...mistakesOfTheSecondary,
];

/** What `--as freebsd-12.1` is: all reference behaviours at once. Where two patch the same place they say the same. */
export const reference: readonly string[] = weaknesses.map(({ id }) => id);
