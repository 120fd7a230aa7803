import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I20', () => {
  it('reports a device that nobody wants there', () => {
    const stage = new Stage().pair();
    stage.pass(2_000);
    stage.judges.deviceAppeared('b', false);
    expect(stage.found).toEqual(['I20']);
  });

  it('reports a device that outlives its role', () => {
    const stage = new Stage().pair();
    stage.order('a', 'secondary');
    stage.pass(20_000);
    expect(stage.found).toEqual([]);
    stage.pass(10_000);
    expect(stage.found).toEqual(['I20']);
  });

  it.each([true, false])('reports two primaries unless somebody says so (%s)', (said) => {
    const stage = new Stage().pair();
    stage.disconnect('a');
    stage.order('b', 'primary');
    stage.startWorker('b', 'primary');
    stage.pass(3_000);
    if (said) stage.judges.hook('b', ['dual-primary', 'r0']);
    stage.pass(100_000);
    expect(stage.found).toEqual(said ? [] : ['I20']);
  });
});
