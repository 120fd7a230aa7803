import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I25', () => {
  it('reports a primary that does not notice the end of its peer', () => {
    const stage = new Stage().pair();
    stage.pass(5_000);
    stage.endWorker('b', 'secondary', false);
    stage.pass(32_000);
    expect(stage.found).toEqual([]);
    stage.pass(5_000);
    expect(stage.found).toEqual(['I25']);
  });

  it('reports a primary that does not notice a cut', () => {
    const stage = new Stage().pair();
    stage.nodes.a.deafSinceMs = 0;
    stage.pass(40_000);
    expect(stage.found).toContain('I25');
  });

  it('is patient with slow links and stopped processes', () => {
    const stage = new Stage().pair();
    stage.nodes.a.deafSinceMs = 0;
    stage.pass(30_000);
    stage.nodes.a.calmSinceMs = stage.nowMs();
    stage.pass(30_000);
    stage.slowMs = stage.nowMs();
    stage.pass(30_000);
    expect(stage.found).toEqual([]);
  });

  it('reports a secondary that serves nobody', () => {
    const stage = new Stage().pair();
    stage.pass(1_000);
    stage.say('a', 'primary', 'disconnect');
    stage.pass(32_000);
    expect(stage.found).toEqual([]);
    stage.pass(5_000);
    expect(stage.found).toEqual(['I25']);
  });

  it('reports a request that is never answered', () => {
    const stage = new Stage().pair();
    stage.submit('a', 'read', 3);
    stage.pass(80_000);
    expect(stage.found).toEqual([]);
    stage.pass(20_000);
    expect(stage.found).toEqual(['I25']);
  });

  it('reports one that waits for an absent peer longer than it should', () => {
    const stage = new Stage().pair();
    stage.pass(1_000);
    stage.answer(stage.submit('a', 'read', 3));
    stage.pass(1_000);
    stage.disconnect('a');
    stage.pass(1_000);
    stage.submit('a', 'read', 3);
    stage.pass(13_000);
    expect(stage.found).toEqual([]);
    stage.pass(3_000);
    expect(stage.found).toEqual(['I25']);
  });
});
