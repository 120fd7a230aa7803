import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I25 reports a READ that fails at once, and without a reason', () => {
  const stage = new Stage().pair();
  stage.answer(stage.submit('a', 'read', 3), 'EIO');
  expect(stage.found).toEqual(['I25']);
});

it('I25 knows what a READ may fail for', () => {
  const stage = new Stage().pair();
  const held = stage.submit('a', 'read', 3);
  stage.pass(stage.setup.timeout * 1000);
  stage.answer(held, 'EIO');
  stage.nodes.b.bad = true;
  stage.answer(stage.submit('a', 'read', 3), 'EIO');
  expect(stage.found).toEqual([]);
});

it('I25 reports an error that no device gives', () => {
  const stage = new Stage().pair();
  stage.nodes.a.bad = true;
  stage.answer(stage.submit('a', 'read', 3), 'EINVAL');
  expect(stage.found).toEqual(['I25']);
});
