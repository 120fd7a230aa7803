import { expect, it } from 'vitest';
import { EXTENTS, Stage } from './stage.js';

const PER_EXTENT = 8;

/** a, primary and in sync, rests; its disk marks so many extents, and that of b as many as `theirs`. */
function rest(ours: number, theirs: number): Stage {
  const stage = new Stage().pair();
  for (let extent = 0; extent < ours; extent++) stage.mark('a', extent * PER_EXTENT, true);
  for (let extent = 0; extent < theirs; extent++) stage.mark('b', extent * PER_EXTENT, true);
  stage.pass(60_000);
  return stage;
}

it('I8b lets a primary keep a few extents dirty', () => {
  const stage = new Stage();
  expect(rest(stage.setup.keepdirty.a, 0).found).toEqual([]);
});

it('I8b reports more of them', () => {
  expect(rest(EXTENTS, 0).found).toEqual(['I8b']);
});

it('I8b reports a secondary that marks anything', () => {
  expect(rest(0, 1).found).toEqual(['I8b']);
});
