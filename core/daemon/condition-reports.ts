import type { Clock } from '../ports/clock.js';
import type { ResourceEvent } from '../resource/types.js';

const REPEAT_LOG_MS = 600_000;

/**
 * Split-brain, mismatch and double primary last until somebody acts, but show at every connection attempt, which is
 * each 10 s (W31). The hook runs when such a condition begins; while it lasts, the log is reminded now and then.
 */
export class ConditionReports {
  readonly #clock: Clock;
  readonly #loggedAtMs = new Map<ResourceEvent, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `begins`: run the hook. `lasts`: worth a line in the log. `known`: nothing to do. */
  seen(condition: ResourceEvent): 'begins' | 'lasts' | 'known' {
    const now = this.#clock.now();
    const loggedAtMs = this.#loggedAtMs.get(condition);
    if (loggedAtMs !== undefined && now - loggedAtMs < REPEAT_LOG_MS) return 'known';
    this.#loggedAtMs.set(condition, now);
    return loggedAtMs === undefined ? 'begins' : 'lasts';
  }

  /** Nodes connected, or the role changed: whatever comes now is new. */
  clear(): void {
    this.#loggedAtMs.clear();
  }
}
