import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I15', () => {
  it('reports a count for nothing', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b'], true);
    stage.disconnect('a');
    stage.store('a', { localcnt: 1n });
    expect(stage.found).toEqual(['I15']);
  });

  it('allows one for a write alone', () => {
    const stage = new Stage().pair();
    stage.disconnect('a');
    stage.submit('a', 'write', 3);
    stage.store('a', { localcnt: 1n });
    expect(stage.found).toEqual([]);
  });

  it('allows one for a write that was on its way', () => {
    const stage = new Stage().pair();
    stage.submit('a', 'write', 3);
    stage.disconnect('a');
    stage.store('a', { localcnt: 1n });
    expect(stage.found).toEqual([]);
  });

  it('reports a synchronisation that leaves the counters as they were', () => {
    const stage = new Stage().pair();
    stage.disconnect('a');
    stage.submit('a', 'write', 3);
    stage.store('a', { localcnt: 1n });
    stage.connect('a');
    stage.say('a', 'primary', 'syncstart');
    stage.say('a', 'primary', 'syncdone');
    expect(stage.found).toContain('I15');
  });
});
