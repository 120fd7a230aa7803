import { describe, expect, it } from 'vitest';
import { Pair } from '../primary/pair.js';
import { violationsOf } from '../primary/pair-checks.js';

describe('the end of a secondary', () => {
  it('comes when what was received is executed, although the primary goes on sending', () => {
    const pair = new Pair({ replication: 'memsync' });
    pair.begin();
    pair.b.medium.slow({ operation: 'write', delayMs: 1_000, offset: Pair.at(0), length: 8 * 8192 });
    for (let i = 0; i < 3_000; i++) pair.app.write(i % 128, 1);
    pair.wait(2_000);
    pair.b.setRole('init');
    pair.wait(5_000);
    expect(pair.b.hasWorker).toBe(false);
    expect(violationsOf(pair)).toEqual([]);
  });
});
