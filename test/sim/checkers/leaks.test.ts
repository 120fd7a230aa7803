import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('leaks', () => {
  it.each(['a', 'b'] as const)('reports a slot of %s that is taken while all rests', (node) => {
    const stage = new Stage().pair();
    stage.nodes[node].status = { ...stage.nodes[node].status, idleQueue: 254 };
    stage.judges.quiet('a');
    expect(stage.found).toEqual(['leak']);
  });

  it('reports an operation that never ends', () => {
    const stage = new Stage().pair();
    stage.nodes.a.status = { ...stage.nodes.a.status, localQueue: 1 };
    stage.judges.quiet('a');
    expect(stage.found).toEqual(['leak']);
  });
});
