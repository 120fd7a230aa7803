import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I14 reports an acknowledged write that is overwritten with an older one', () => {
  const stage = new Stage().pair();
  const old = stage.write('a', 3, ['a', 'b'], true);
  stage.write('a', 3, ['a', 'b'], true);
  stage.put('b', 3, old);
  expect(stage.found).toContain('I14');
});
