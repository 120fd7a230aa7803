import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

function dirty(stage: Stage, extents: number): void {
  stage.nodes.a.status = { ...stage.nodes.a.status, dirty: extents * 4096 };
}

describe('I8b', () => {
  it('reports a synchronisation that does not go on', () => {
    const stage = new Stage().pair();
    dirty(stage, 2);
    stage.pass(60_000);
    dirty(stage, 1);
    stage.pass(60_000);
    expect(stage.found).toEqual([]);
    stage.pass(60_000);
    expect(stage.found).toEqual(['I8b']);
  });

  it('is patient while something is wrong', () => {
    const stage = new Stage().pair();
    dirty(stage, 2);
    stage.pass(90_000);
    stage.nodes.b.calmSinceMs = stage.nowMs();
    stage.pass(90_000);
    expect(stage.found).toEqual([]);
  });

  it('reports dirty extents that come from nowhere', () => {
    const stage = new Stage().pair();
    stage.pass(2_000);
    dirty(stage, 1);
    stage.pass(2_000);
    expect(stage.found).toEqual(['I8b']);
  });

  it('reports more than the device has', () => {
    const stage = new Stage().pair();
    dirty(stage, 5);
    stage.pass(1_000);
    expect(stage.found).toEqual(['I8b']);
  });
});
