import { describe, expect, it } from 'vitest';
import { SeenStates } from '../../../sim/tools/seen-states.js';

describe('seen states', () => {
  it('are known to every other run that has no more left to try', () => {
    const seen = new SeenStates();
    expect(seen.wasSeen(1, 2, 1, 1)).toBe(false);
    expect(seen.wasSeen(1, 2, 1, 1)).toBe(false);
    expect(seen.wasSeen(1, 2, 2, 0)).toBe(true);
    expect(seen.wasSeen(1, 2, 2, 1)).toBe(true);
    expect(seen.wasSeen(1, 2, 3, 2)).toBe(false);
    expect(seen.wasSeen(1, 2, 4, 2)).toBe(true);
    expect(seen.wasSeen(2, 1, 4, 0)).toBe(false);
    expect(seen.wasSeen(-5, -6, 4, 0)).toBe(false);
    expect(seen.wasSeen(-5, -6, 5, 0)).toBe(true);
    expect(seen.count).toBe(3);
  });

  it('are not mixed up, however many there are near each other', () => {
    const seen = new SeenStates();
    for (let high = 0; high < 100; high++) expect(seen.wasSeen(7, high, 1, 0)).toBe(false);
    for (let high = 100; high < 200; high++) expect(seen.wasSeen(7, high, 2, 0)).toBe(false);
  });
});
