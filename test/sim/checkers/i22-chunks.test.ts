import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I22', () => {
  it('reports a chunk that brings what was overwritten meanwhile', () => {
    const stage = new Stage().pair();
    const old = stage.write('a', 3, ['a', 'b'], true);
    stage.disconnect('a');
    stage.connect('a');
    stage.put('b', 3, old);
    expect(stage.found).toEqual([]);
    const { write } = stage.submit('a', 'write', 3);
    stage.put('a', 3, write);
    stage.put('b', 3, write);
    stage.put('b', 3, old);
    expect(stage.found).toEqual(['I22']);
  });

  it('reports it on a primary that is out of date, too', () => {
    const stage = new Stage().pair();
    const old = stage.write('a', 3, ['a', 'b'], true);
    const { write } = stage.submit('a', 'write', 3);
    stage.put('b', 3, write);
    stage.put('a', 3, write);
    stage.put('a', 3, old);
    expect(stage.found).toEqual(['I22']);
  });
});
