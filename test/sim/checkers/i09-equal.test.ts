import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I9 reports copies that differ after a synchronisation', () => {
  const stage = new Stage().pair();
  stage.write('a', 3, ['a', 'b'], true);
  const word = stage.write('a', 3, ['a', 'b'], true);
  stage.put('b', 3, word - 1);
  stage.flush('b');
  stage.agree('a');
  stage.judges.quiet('a');
  expect(stage.found).toContain('I9');
});
