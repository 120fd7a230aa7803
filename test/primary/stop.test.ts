import { describe, expect, it } from 'vitest';
import { Pair } from './pair.js';

describe('an orderly end of a primary', () => {
  it('makes the counters tell what a slow peer lacks of what was acknowledged (W4)', () => {
    const pair = new Pair({ replication: 'async' });
    pair.begin();
    pair.b.medium.slow({ operation: 'write', delayMs: 1_000, offset: Pair.at(20), length: 512 });
    for (let i = 0; i < 60; i++) pair.app.write(20, 1);
    pair.settle();
    pair.role(pair.a, 'secondary');
    expect(pair.a.metadata().localcnt).toBe(1n);
  });
});
