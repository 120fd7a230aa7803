import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I10', () => {
  it.each(['a', 'b'] as const)('reports data on %s before the bit', (node) => {
    const stage = new Stage().pair();
    const { write } = stage.submit('a', 'write', 3);
    stage.put(node, 3, write);
    expect(stage.found).toEqual(['I10']);
  });

  it('reports a bit that is volatile', () => {
    const stage = new Stage().pair();
    const { write } = stage.submit('a', 'write', 3);
    stage.mark('a', 3, true, false);
    stage.put('a', 3, write);
    expect(stage.found).toEqual(['I10']);
  });
});
