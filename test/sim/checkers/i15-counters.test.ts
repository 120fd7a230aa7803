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

  it('allows one that could not be flushed', () => {
    const stage = new Stage().pair();
    stage.nodes.a.bad = true;
    stage.store('a', { localcnt: 1n });
    expect(stage.found).toEqual([]);
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

  it('allows one for a write that was acknowledged early, on its way since before the counters were equal', () => {
    const stage = new Stage();
    stage.replication = 'memsync';
    stage.pair();
    stage.pass(60_000);
    stage.disconnect('a');
    stage.write('a', 3, ['a']);
    stage.connect('a');
    stage.mark('a', 9, true);
    const early = stage.submit('a', 'write', 9);
    stage.put('a', 9, early.write);
    stage.put('b', 3, 1);
    stage.agree('a');
    stage.answer(early);
    stage.put('b', 9, early.write);
    stage.disconnect('a');
    stage.store('a', { localcnt: 2n });
    expect(stage.found).not.toContain('I15');
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
