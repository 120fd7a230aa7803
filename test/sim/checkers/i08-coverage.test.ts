import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I8', () => {
  it('reports copies that differ without a bit', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b'], true);
    stage.nodes.b.visible.words[3] = 0;
    stage.judges.quiet('a');
    expect(stage.found).not.toContain('I8');
    stage.nodes.a.durable.bits.clear();
    stage.losePower('b');
    expect(stage.found).not.toContain('I8');
    stage.nodes.b.durable.words[3] = 0;
    stage.losePower('b');
    expect(stage.found).toContain('I8');
  });

  it('reports copies that would differ after a power failure', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a', 'b']);
    stage.nodes.a.durable.bits.clear();
    stage.judges.quiet('a');
    expect(stage.found).toContain('I8');
  });
});
