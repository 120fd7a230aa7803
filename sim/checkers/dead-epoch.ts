/** Nothing that was sent in a session that is over takes effect in the next one. */
import type { Bench, Checker } from './checker.js';

export function deadEpoch({ origins, report }: Bench): Checker {
  return {
    diskWriteStarted(node) {
      const { origin, block, word } = origins;
      if (origin !== 'another-session') return;
      report(
        `${node} writes ${String(word)} to block ${String(block)}, which nobody sent in this session`,
        block,
      );
    },
  };
}
