import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I4', () => {
  it('reports a device without a write that its copy had', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b']);
    stage.endWorker('a', 'primary', false);
    stage.endWorker('b', 'secondary', true);
    stage.nodes.b.visible.words[3] = 0;
    stage.order('b', 'primary');
    stage.startWorker('b', 'primary');
    stage.judges.deviceAppeared('b', false);
    expect(stage.found).toEqual(['I4']);
  });

  it('reports a secondary that ends in order without what it had received', () => {
    const stage = new Stage().pair();
    stage.replication = 'memsync';
    stage.write('a', 3, ['a']);
    stage.disconnect('a');
    expect(stage.found).toEqual(['I4']);
  });
});
