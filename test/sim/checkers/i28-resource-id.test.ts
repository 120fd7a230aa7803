import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I28', () => {
  it('reports a resource id that changes', () => {
    const stage = new Stage().pair();
    stage.store('b', { resuid: 8n });
    expect(stage.found).toContain('I28');
  });

  it('allows it after create, and after a power failure that took it', () => {
    const stage = new Stage();
    stage.store('b', { resuid: 7n }, false);
    stage.losePower('b');
    stage.store('b', { resuid: 8n });
    stage.create('b');
    stage.store('b', { resuid: 9n });
    expect(stage.found).toEqual([]);
  });
});
