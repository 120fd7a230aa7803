import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I16 reports a write that is acknowledged alone before it is counted', () => {
  const stage = new Stage().pair();
  stage.disconnect('a');
  stage.store('a', { localcnt: 1n }, false);
  stage.write('a', 3, ['a']);
  expect(stage.found).toEqual(['I16']);
});
