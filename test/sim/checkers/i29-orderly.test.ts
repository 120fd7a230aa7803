import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

function demoted(prepare: (stage: Stage) => void): Stage {
  const stage = new Stage().pair();
  stage.replication = 'async';
  stage.pass(20_000);
  prepare(stage);
  stage.order('a', 'secondary');
  stage.endWorker('a', 'primary', true);
  return stage;
}

describe('I29', () => {
  it('reports a backlog that is dropped', () => {
    expect(demoted((stage) => stage.write('a', 3, ['a'])).found).toEqual(['I29']);
  });

  it('has nothing to say when it was sent', () => {
    expect(demoted((stage) => stage.write('a', 3, ['a', 'b'])).found).toEqual([]);
  });

  it('excuses a peer that had no time', () => {
    const stage = demoted((it) => {
      it.write('a', 3, ['a']);
      it.nodes.b.calmSinceMs = it.nowMs();
    });
    expect(stage.found).toEqual([]);
  });
});
