import { describe, expect, it } from 'vitest';
import { InlinePace } from '../../native/inline-pace.js';

describe('the pace of inline transfers', () => {
  it('allows what is quick, for ever', () => {
    const pace = new InlinePace();
    for (let ms = 0; ms < 10_000; ms += 0.1) {
      pace.took(ms, ms + 0.01, true);
      expect(pace.allows(ms + 0.01)).toBe(true);
    }
  });

  it('bars what makes everything wait, for longer each time', () => {
    const pace = new InlinePace();
    pace.took(0, 50, true);
    expect([pace.allows(51), pace.allows(1049), pace.allows(1050)]).toEqual([false, false, true]);
    pace.took(1050, 1100, true);
    expect([pace.allows(3099), pace.allows(3100)]).toEqual([false, true]);
  });

  it('is not slowed down by a busy processor', () => {
    const pace = new InlinePace();
    for (let ms = 0; ms < 1_000; ms += 20) {
      pace.took(ms, ms + 20, false);
      expect(pace.allows(ms + 20)).toBe(true);
    }
  });

  it('forgets a hiccup', () => {
    const pace = new InlinePace();
    for (let ms = 0; ms < 60_000; ms += 1_000) {
      pace.took(ms, ms + 8, true);
      expect(pace.allows(ms + 8)).toBe(true);
    }
  });

  it('counts small delays that follow each other', () => {
    const pace = new InlinePace();
    let ms = 0;
    while (pace.allows(ms) && ms < 1_000) {
      pace.took(ms, ms + 2, true);
      ms += 2;
    }
    expect(ms).toBeLessThan(20);
  });
});
