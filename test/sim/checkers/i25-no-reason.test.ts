import { expect, it } from 'vitest';
import { Stage } from './stage.js';

/** A session that begins when all has been well for some time. */
function calmSession(): Stage {
  const stage = new Stage().pair();
  stage.pass(5_000);
  stage.disconnect('a');
  stage.pass(5_000);
  stage.connect('a');
  stage.pass(15_000);
  return stage;
}

it('I25 reports a peer that is given up although nothing was wrong', () => {
  const stage = calmSession();
  expect(stage.found).toEqual([]);
  stage.disconnect('a');
  expect(stage.found).toEqual(['I25']);
});

it('I25 knows what a session may end for', () => {
  const stage = calmSession();
  stage.nodes.b.calmSinceMs = stage.nowMs();
  stage.pass(1_000);
  stage.disconnect('a');
  expect(stage.found).toEqual([]);
});

it('I25 counts what was wrong just before a session', () => {
  const stage = new Stage().pair();
  stage.pass(5_000);
  stage.disconnect('a');
  stage.nodes.a.calmSinceMs = stage.nowMs();
  stage.pass(2_000);
  stage.connect('a');
  stage.pass(5_000);
  stage.disconnect('a');
  expect(stage.found).toEqual([]);
});
