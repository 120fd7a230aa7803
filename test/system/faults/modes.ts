/** One resource for each replication mode, side by side in one lab. */
import type { ReplicationMode } from '../../../core/config/types.js';
import type { Promised } from './ledger.js';

export const MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];

const PREFIX = 'data-';

export const MODE_LAB_OPTIONS = {
  resources: MODES.map((mode) => resourceOf(mode)),
  resourceSettings: (resource: string): string => `replication ${resource.slice(PREFIX.length)}`,
};

export function resourceOf(mode: ReplicationMode): string {
  return `${PREFIX}${mode}`;
}

/** What the loss of the primary, and of nothing else, leaves (core/spec/replication.md section 14.1). */
export function survivesPrimary(mode: ReplicationMode): Promised {
  return mode === 'async' ? 'flushed' : 'acknowledged';
}
