import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('metadata after a crash', () => {
  it('may be old or new', () => {
    for (const flushed of [false, true]) {
      const stage = new Stage();
      stage.store('a', { prevrole: 'primary' });
      stage.store('a', { prevrole: 'secondary' }, flushed);
      stage.losePower('a');
      stage.startWorker('a', 'primary');
      expect(stage.found).toEqual([]);
    }
  });

  it('may be refused', () => {
    const stage = new Stage();
    stage.store('a', { prevrole: 'primary' });
    stage.nodes.a.durable.metadata = null;
    stage.losePower('a');
    expect(stage.found).toEqual([]);
  });

  it('is not a mixture', () => {
    const stage = new Stage();
    stage.store('a', { resuid: 7n, localcnt: 1n });
    stage.store('a', { localcnt: 2n, prevrole: 'secondary' });
    const { visible } = stage.nodes.a;
    if (visible.metadata !== null) visible.metadata = { ...visible.metadata, prevrole: 'init' };
    stage.startWorker('a', 'primary');
    expect(stage.found).toEqual(['metadata']);
  });

  it('is not older than what was durable', () => {
    const stage = new Stage();
    stage.store('a', { resuid: 7n, localcnt: 1n });
    const old = stage.metadata('a');
    stage.store('a', { localcnt: 2n });
    stage.nodes.a.durable.metadata = old;
    stage.losePower('a');
    expect(stage.found).toEqual(['metadata']);
  });
});
