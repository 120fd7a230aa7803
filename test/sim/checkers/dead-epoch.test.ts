import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('reports what was sent in a session that is over', () => {
  const stage = new Stage().pair();
  const first = stage.submit('a', 'write', 3);
  stage.disconnect('a');
  stage.answer(first, 'EIO');
  stage.write('a', 3, ['a']);
  stage.nodes.a.status = { ...stage.nodes.a.status, dirty: 4096 };
  stage.connect('a');
  stage.put('b', 3, first.write);
  expect(stage.found).toEqual(['epoch']);
});
