import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it.each([true, false])('I18 reports a half-copied device, unless it is forced (%s)', (forced) => {
  const stage = new Stage().pair();
  stage.disconnect('a');
  const word = stage.write('a', 3, ['a']);
  stage.write('a', 9, ['a']);
  stage.nodes.a.status = { ...stage.nodes.a.status, dirty: 8192 };
  stage.connect('a');
  stage.put('b', 3, word);
  stage.endWorker('a', 'primary', false);
  stage.endWorker('b', 'secondary', true);
  stage.order('b', 'primary');
  stage.startWorker('b', 'primary');
  stage.judges.deviceAppeared('b', forced);
  expect(stage.found).toEqual(forced ? [] : ['I18']);
});

it('I18 reports a copy that is written to before it is marked', () => {
  const stage = new Stage().pair();
  stage.disconnect('a');
  const word = stage.write('a', 3, ['a']);
  stage.connect('a');
  stage.store('b', { incomplete: false });
  stage.store('b', { incomplete: true }, false);
  expect(stage.found).toEqual([]);
  stage.put('b', 3, word);
  expect(stage.found).toEqual(['I18']);
});
