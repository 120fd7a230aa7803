import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it.each([0, 1, 2])('I26 reports more extents that lack something than are said to be dirty (%i)', (dirty) => {
  const stage = new Stage().pair();
  stage.replication = 'async';
  stage.nodes.a.status = { ...stage.nodes.a.status, dirty: dirty * 4096 };
  for (let i = 0; i < 7; i++) stage.write('a', i < 4 ? 3 : 9, ['a']);
  stage.write('a', 17, ['a', 'b']);
  expect(stage.found).toEqual(dirty < 2 ? ['I26'] : []);
});
