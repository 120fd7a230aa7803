import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I1', () => {
  it('reports a READ that returns what was overwritten', () => {
    const stage = new Stage().pair();
    const old = stage.write('a', 3, ['a', 'b']);
    stage.write('a', 3, ['a', 'b']);
    stage.read('a', 3, old);
    expect(stage.found).toEqual(['I1']);
  });

  it('reports a READ that goes back behind another one', () => {
    const stage = new Stage().pair();
    const old = stage.write('a', 3, ['a', 'b']);
    const { write } = stage.submit('a', 'write', 3);
    stage.read('a', 3, write);
    expect(stage.found).toEqual([]);
    stage.read('a', 3, old);
    expect(stage.found).toEqual(['I1']);
  });

  it('reports what nobody wrote', () => {
    const stage = new Stage().pair();
    stage.read('a', 3, 99);
    expect(stage.found).toContain('I1');
  });
});
