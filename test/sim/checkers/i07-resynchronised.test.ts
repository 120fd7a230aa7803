import { expect, it } from 'vitest';
import { Stage } from './stage.js';

/** The secondary is away while a write is acknowledged and flushed; then it is copied. */
function resynchronise(durably: boolean): Stage {
  const stage = new Stage().pair();
  stage.disconnect('a');
  const word = stage.write('a', 3, ['a'], true);
  stage.answer(stage.submit('a', 'flush'));
  stage.nodes.a.status = { ...stage.nodes.a.status, dirty: 4096 };
  stage.connect('a');
  stage.put('b', 3, word);
  if (durably) stage.flush('b');
  stage.agree('a');
  return stage;
}

it('I7 reports copies that are said to be equal while the new one is volatile', () => {
  expect(resynchronise(true).found).toEqual([]);
  expect(resynchronise(false).found).toEqual(['I7']);
});
