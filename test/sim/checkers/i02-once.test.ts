import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I2 reports a second answer', () => {
  const stage = new Stage().pair();
  const request = stage.submit('a', 'read', 3);
  stage.answer(request);
  expect(stage.found).toEqual([]);
  stage.answer(request);
  expect(stage.found).toEqual(['I2']);
});
