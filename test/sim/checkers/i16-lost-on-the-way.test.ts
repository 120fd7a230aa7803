import { expect, it } from 'vitest';
import { Stage } from './stage.js';

/** A write that is acknowledged before it has arrived, and never does; then its primary lives on. */
function lose(counted: boolean): Stage {
  const stage = new Stage().pair();
  stage.replication = 'async';
  stage.write('a', 3, ['a']);
  stage.disconnect('a');
  if (counted) stage.count('a');
  stage.pass(10_000);
  return stage;
}

it('I16 reports a write that was lost on its way and not counted', () => {
  expect(lose(false).found).toEqual(['I16']);
});

it('I16 has nothing to say when it is counted', () => {
  expect(lose(true).found).toEqual([]);
});
