import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I27 reports a condition that is told twice', () => {
  const stage = new Stage().pair();
  stage.judges.hook('a', ['split-brain', 'r0']);
  stage.judges.hook('b', ['split-brain', 'r0']);
  expect(stage.found).not.toContain('I27');
  stage.judges.hook('a', ['split-brain', 'r0']);
  expect(stage.found).toContain('I27');
});

it('I27 knows that a condition may begin again', () => {
  const stage = new Stage().pair();
  stage.judges.hook('a', ['dual-primary', 'r0']);
  stage.judges.hook('a', ['connect', 'r0']);
  stage.judges.hook('a', ['dual-primary', 'r0']);
  stage.order('a', 'secondary');
  stage.judges.hook('a', ['dual-primary', 'r0']);
  expect(stage.found).toEqual([]);
});
