import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I6', () => {
  it.each(['a', 'b'] as const)('reports a FLUSH that leaves the data of %s volatile', (lazy) => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b']);
    const flush = stage.submit('a', 'flush');
    stage.flush(lazy === 'a' ? 'b' : 'a');
    stage.answer(flush);
    expect(stage.found).toEqual(['I6']);
  });

  it('reports what a power failure takes although it was flushed', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b'], true);
    stage.answer(stage.submit('a', 'flush'));
    stage.nodes.b.durable.words[3] = 0;
    stage.losePower('b');
    expect(stage.found).toContain('I6');
  });
});
