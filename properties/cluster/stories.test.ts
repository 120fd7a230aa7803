import { describe, expect, it } from 'vitest';
import { Story, type StoryResult } from '../../sim/story.js';

const STORIES = 300;
const STORIES_PER_TEST = 50;

/** What a person needs to see it again: `node dist/test/fuzz/main.js SEED 1` prints the logs, too. */
function report({ seed, violations, script }: StoryResult): string {
  return [`seed ${String(seed)}`, ...violations.slice(0, 3), ...script].join('\n  ');
}

describe('random histories of a cluster end with equal nodes and nothing acknowledged missing', () => {
  for (let first = 1; first <= STORIES; first += STORIES_PER_TEST) {
    const last = first + STORIES_PER_TEST - 1;
    it(`seeds ${String(first)} to ${String(last)}`, { timeout: 300_000 }, () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const result = new Story(seed).run();
        if (result.violations.length > 0) failures.push(report(result));
      }
      expect(failures.join('\n')).toBe('');
    });
  }

  it.each([[102018, 'a bad range that could not be stored made older bad bytes good again (W18)']])(
    'seed %i, which found: %s',
    (seed) => {
      expect(new Story(seed).run().violations).toEqual([]);
    },
  );

  it('are the same whenever they are told', () => {
    const [once, again] = [new Story(7).run(), new Story(7).run()];
    expect(again.script).toEqual(once.script);
    expect(again.nodes.map(({ lines }) => lines)).toEqual(once.nodes.map(({ lines }) => lines));
  });
});
