import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it.each([true, false])('I27 wants to hear of a role that changes by itself (%s)', (told) => {
  const stage = new Stage().pair();
  stage.pass(2_000);
  stage.nodes.a.role = 'init';
  if (told) stage.judges.hook('a', ['role', 'r0', 'primary', 'init']);
  stage.pass(2_000);
  expect(stage.found).toEqual(told ? [] : ['I27']);
});
