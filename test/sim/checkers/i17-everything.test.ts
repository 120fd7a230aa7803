import { describe, expect, it } from 'vitest';
import { EXTENTS, Stage } from './stage.js';

/** b is created anew, and meets a again. */
function replaced(): Stage {
  const stage = new Stage().pair();
  stage.disconnect('a');
  stage.create('b');
  stage.store('b', { resuid: 7n, incomplete: true });
  return stage;
}

describe('I17', () => {
  it('reports a new secondary that does not get everything', () => {
    const stage = replaced();
    for (let extent = 1; extent < EXTENTS; extent++) stage.mark('a', extent * 8, true);
    stage.connect('a');
    expect(stage.found).toEqual(['I17']);
  });

  it('has nothing to say about one that does', () => {
    const stage = replaced();
    for (let extent = 0; extent < EXTENTS; extent++) stage.mark('a', extent * 8, true);
    stage.connect('a');
    expect(stage.found).toEqual([]);
  });
});
