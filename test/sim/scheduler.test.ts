import { describe, expect, it } from 'vitest';
import { Random } from '../../sim/random.js';
import { Scheduler, type SchedulerOptions } from '../../sim/scheduler.js';

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

describe('scheduler: handlers and tickets', () => {
  it('tells a handler its arguments in order', () => {
    const scheduler = new Scheduler();
    const seen: number[] = [];
    const handler = { happen: (argument: number) => seen.push(argument) };
    scheduler.schedule(2, handler, 20);
    scheduler.schedule(1, handler, -1);
    scheduler.schedule(2, handler, 21);
    scheduler.runUntilIdle();
    expect(seen).toEqual([-1, 20, 21]);
  });

  it('a ticket cancels its own event only, whatever has its slot now', () => {
    const scheduler = new Scheduler();
    const seen: number[] = [];
    const handler = { happen: (argument: number) => seen.push(argument) };
    const first = scheduler.schedule(1, handler, 1);
    scheduler.cancel(first);
    scheduler.cancel(first);
    scheduler.runUntilIdle();
    const second = scheduler.schedule(1, handler, 2);
    scheduler.cancel(first);
    scheduler.runUntilIdle();
    scheduler.cancel(second);
    scheduler.schedule(1, handler, 3);
    scheduler.cancel(second);
    scheduler.runUntilIdle();
    expect(seen).toEqual([2, 3]);
  });

  it('an event that cancels itself while it happens takes nobody along', () => {
    const scheduler = new Scheduler();
    let happened = 0;
    const event = scheduler.after(1, () => {
      scheduler.after(1, () => happened++);
      event.cancel();
    });
    scheduler.runUntilIdle();
    expect(happened).toBe(1);
  });

  it('keeps the order when most of many events are cancelled', () => {
    const scheduler = new Scheduler();
    const random = new Random(1, 'times');
    const seen: number[] = [];
    const handler = { happen: () => seen.push(scheduler.nowMs) };
    const kept: number[] = [];
    for (let i = 0; i < 5000; i++) {
      const timeMs = random.below(1000);
      const ticket = scheduler.schedule(timeMs, handler);
      if (random.chance(1, 10)) kept.push(timeMs);
      else scheduler.cancel(ticket);
    }
    scheduler.runUntilIdle();
    expect(seen).toEqual(kept.sort((a, b) => a - b));
    expect(scheduler.events).toBe(kept.length);
  });
});

describe('scheduler: ties', () => {
  /** Twenty events at one time, half of them in a lane. */
  const orderOf = (options: SchedulerOptions): { all: number[]; lane: number[] } => {
    const scheduler = new Scheduler(options);
    const lane = scheduler.newLane();
    const all: number[] = [];
    for (let i = 0; i < 20; i++) scheduler.after(1, () => all.push(i), i % 2 === 0 ? lane : 0);
    scheduler.runUntilIdle();
    return { all, lane: all.filter((i) => i % 2 === 0) };
  };
  const bySequence = Array.from({ length: 20 }, (_, i) => i);

  it('are broken by sequence', () => {
    expect(orderOf({}).all).toEqual(bySequence);
  });

  it.each(['random', 'priority'] as const)(
    '%s: in many orders, each of them repeatable, but a lane keeps its own',
    (ties) => {
      const orders = new Set<string>();
      for (let seed = 0; seed < 50; seed++) {
        const { all, lane } = orderOf({ ties, random: new Random(seed, 'ties') });
        expect(orderOf({ ties, random: new Random(seed, 'ties') }).all).toEqual(all);
        expect([...all].sort((a, b) => a - b)).toEqual(bySequence);
        expect(lane).toEqual([...lane].sort((a, b) => a - b));
        orders.add(all.join());
      }
      expect(orders.size).toBeGreaterThan(40);
    },
  );

  it('priority: one of two lanes wins for long, until the priorities change', () => {
    const changes: number[] = [];
    for (let seed = 0; seed < 20; seed++) {
      const scheduler = new Scheduler({ ties: 'priority', random: new Random(seed, 'ties') });
      const lanes = [scheduler.newLane(), scheduler.newLane()];
      const order: number[] = [];
      for (let round = 0; round < 4000; round++) {
        for (const lane of lanes) scheduler.after(0, () => order.push(lane), lane);
        scheduler.runUntilIdle();
      }
      const winners = order.filter((_, i) => i % 2 === 0);
      changes.push(winners.filter((winner, i) => i > 0 && winner !== winners[i - 1]).length);
    }
    expect(Math.max(...changes)).toBeLessThan(10);
    expect(Math.max(...changes)).toBeGreaterThan(0);
  });
});

describe('scheduler: trace', () => {
  const runOf = (change: (scheduler: Scheduler) => void): string => {
    const scheduler = new Scheduler();
    for (let i = 0; i < 10; i++) scheduler.after(i / 8, () => undefined);
    scheduler.runFor(0.5);
    change(scheduler);
    scheduler.runUntilIdle();
    return scheduler.traceHash;
  };

  it('has a hash that any difference changes for good', () => {
    const hashes = [
      runOf(() => undefined),
      runOf((scheduler) => {
        scheduler.note(1);
      }),
      runOf((scheduler) => {
        scheduler.note(1, 2);
      }),
      runOf((scheduler) => {
        scheduler.note(1, 0, 2);
      }),
      runOf((scheduler) => {
        scheduler.after(0.001, () => undefined);
      }),
      runOf((scheduler) => {
        scheduler.after(0.002, () => undefined);
      }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(runOf(() => undefined)).toBe(hashes[0]);
  });

  it('does not make up texts that nobody reads', () => {
    const scheduler = new Scheduler();
    scheduler.trace(() => {
      throw new Error('nobody asked');
    });
    const lines: string[] = [];
    scheduler.tracer = (timeMs, text) => lines.push(`${String(timeMs)} ${text}`);
    scheduler.runFor(7);
    scheduler.trace(() => 'seven');
    expect(lines).toEqual(['7 seven']);
  });

  it('calls back before every event, which may then not happen at all', () => {
    const scheduler = new Scheduler();
    const seen: string[] = [];
    const events = ['a', 'b', 'c'].map((name, i) => scheduler.after(i, () => seen.push(name)));
    let count = 0;
    scheduler.beforeEvent = () => {
      if (count++ === 1) events[1]?.cancel();
    };
    scheduler.runUntilIdle();
    expect(seen).toEqual(['a', 'c']);
    expect([count, scheduler.events]).toEqual([2, 2]);
  });
});
