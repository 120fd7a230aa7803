import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** b was promoted while a was still primary; each may have written alone. */
function parted(both: boolean): Stage {
  const stage = new Stage().pair();
  stage.disconnect('a');
  stage.write('a', 3, ['a']);
  stage.endWorker('a', 'primary', true);
  stage.order('a', 'secondary');
  stage.order('b', 'primary');
  stage.startWorker('b', 'primary');
  stage.judges.deviceAppeared('b', false);
  if (!both) return stage;
  stage.write('b', 4, ['b']);
  return stage;
}

describe('I12', () => {
  it('reports a session of two nodes that both wrote alone', () => {
    const stage = parted(true);
    stage.connect('b');
    expect(stage.found).toContain('I12');
  });
});

describe('I13', () => {
  it('reports a split-brain that is none', () => {
    const stage = parted(false);
    stage.say('b', 'primary', 'split-brain');
    expect(stage.found).toEqual(['I13']);
  });

  it('allows one that is', () => {
    const stage = parted(true);
    stage.say('b', 'primary', 'split-brain');
    expect(stage.found).toEqual([]);
  });
});
