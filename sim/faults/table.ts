/** Every known defect. */
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
export const weaknesses: readonly Mutant[] = [
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
