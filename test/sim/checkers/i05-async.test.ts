import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

function pair(): Stage {
  const stage = new Stage().pair();
  stage.replication = 'async';
  return stage;
}

describe('I5', () => {
  it('reports an acknowledged write that the primary lacks', () => {
    const stage = pair();
    stage.write('a', 3, ['b'], true);
    expect(stage.found).toEqual(['I5']);
  });

  it('allows it where only the secondary has the newest data, durably said', () => {
    const stage = pair();
    stage.store('a', { localBad: [{ offset: 3 * 512, length: 512 }] });
    stage.write('a', 3, ['b'], true);
    expect(stage.found).toEqual([]);
  });

  it('reports a secondary that lags by more than 256 writes', () => {
    const stage = pair();
    stage.nodes.a.status = { ...stage.nodes.a.status, dirty: 4 * 4096 };
    for (let i = 0; i < 256; i++) stage.write('a', i % 32, ['a']);
    expect(stage.found).toEqual([]);
    stage.write('a', 0, ['a']);
    expect(stage.found).toEqual(['I5']);
  });
});
