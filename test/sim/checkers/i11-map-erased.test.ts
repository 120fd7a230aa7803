import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** b was primary alone; now it is secondary again, and its map has a bit for the difference. */
function afterwards(): Stage {
  const stage = new Stage().pair();
  stage.mark('b', 3, true);
  const { write } = stage.submit('a', 'write', 3);
  stage.put('a', 3, write);
  return stage;
}

describe('I11', () => {
  it('reports a secondary that erases what the primary does not know', () => {
    const stage = afterwards();
    stage.mark('b', 3, false);
    expect(stage.found).toEqual(['I11']);
  });

  it('reports it while the bit of the primary is volatile', () => {
    const stage = afterwards();
    stage.mark('a', 3, true, false);
    stage.mark('b', 3, false);
    expect(stage.found).toEqual(['I11']);
  });

  it('allows it once the primary has the bit', () => {
    const stage = afterwards();
    stage.mark('a', 3, true);
    stage.mark('b', 3, false);
    expect(stage.found).toEqual([]);
  });

  it('reports a primary that clears a bit while the data of a node is volatile', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b']);
    stage.flush('a');
    stage.mark('a', 3, false);
    expect(stage.found).toEqual(['I11']);
  });
});
