import { expect, it } from 'vitest';
import { Stage } from './stage.js';

it('I19 reports a primary that is out of date and acknowledges what its source lacks', () => {
  const stage = new Stage().pair();
  stage.endWorker('a', 'primary', false);
  stage.endWorker('b', 'secondary', true);
  stage.order('b', 'primary');
  stage.startWorker('b', 'primary');
  stage.judges.deviceAppeared('b', false);
  stage.write('b', 3, ['b']);
  stage.endWorker('b', 'primary', false);
  stage.order('b', 'secondary');
  stage.startWorker('a', 'primary');
  stage.judges.deviceAppeared('a', false);
  stage.connect('a');
  stage.replication = 'async';
  stage.write('a', 9, ['a']);
  expect(stage.found).toContain('I19');
});
