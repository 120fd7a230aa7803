import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../sim/scheduler.js';

describe('scheduler', () => {
  it('runs events by time, those of one time in the order they were scheduled', () => {
    const scheduler = new Scheduler();
    const seen: string[] = [];
    for (const [delayMs, name] of [
      [5, 'c'],
      [1, 'a'],
      [5, 'd'],
      [2, 'b'],
      [5, 'e'],
    ] as const) {
      scheduler.after(delayMs, () => seen.push(`${name}@${scheduler.nowMs}`));
    }
    scheduler.runUntilIdle();
    expect(seen).toEqual(['a@1', 'b@2', 'c@5', 'd@5', 'e@5']);
  });

  it('keeps the order of a thousand events with the same few times', () => {
    const scheduler = new Scheduler();
    const seen: number[][] = [];
    for (let i = 0; i < 1000; i++) scheduler.after((i * 7919) % 10, () => seen.push([scheduler.nowMs, i]));
    scheduler.runUntilIdle();
    expect(seen).toEqual([...seen].sort(([t1 = 0, s1 = 0], [t2 = 0, s2 = 0]) => t1 - t2 || s1 - s2));
    expect(seen).toHaveLength(1000);
  });

  it('neither runs nor waits for a cancelled event', () => {
    const scheduler = new Scheduler();
    const event = scheduler.after(100, () => {
      throw new Error('cancelled');
    });
    scheduler.after(1, () => {
      event.cancel();
    });
    scheduler.runUntilIdle();
    expect(scheduler.nowMs).toBe(1);
  });

  it('runs for a time, or until a condition holds', () => {
    const scheduler = new Scheduler();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      scheduler.after(10, tick);
    };
    scheduler.after(10, tick);
    scheduler.runFor(35);
    expect([ticks, scheduler.nowMs]).toEqual([3, 35]);
    expect(scheduler.runUntil(() => ticks === 5, 100)).toBe(true);
    expect(scheduler.nowMs).toBe(50);
    expect(scheduler.runUntil(() => ticks === 100, 100)).toBe(false);
  });
});
