import { describe, expect, it } from 'vitest';
import { SimClock } from '../../sim/clock.js';
import { SimMedium } from '../../sim/medium.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';
import { Pair } from '../primary/pair.js';

function world() {
  const scheduler = new Scheduler();
  const process = new SimProcess('worker', scheduler.newLane());
  return { scheduler, process, clock: new SimClock(scheduler, process), seen: [] as string[] };
}

describe('process: pause', () => {
  it('lets timers and completions wait, and runs them in order at the end', () => {
    const { scheduler, process, clock, seen } = world();
    const medium = new SimMedium(new Random(1, 'disk'), { mediaSize: 4096, minDelayMs: 2, maxDelayMs: 2 });
    const disk = medium.open(scheduler, process);
    process.run(() => {
      disk.write(0, new Uint8Array(512).fill(1), () => seen.push(`written ${String(clock.now())}`));
      clock.after(3, () => seen.push(`late ${String(clock.now())}`));
      clock.after(1, () => seen.push(`early ${String(clock.now())}`));
    });
    scheduler.after(10, process.pause());
    scheduler.runFor(9);
    expect([seen, process.paused, medium.visible[0]]).toEqual([[], true, 1]);
    scheduler.runFor(1);
    expect(seen).toEqual(['early 10', 'written 10', 'late 10']);
    expect(process.paused).toBe(false);
  });

  it('a timer cancelled by what ran before it in the same catch-up does not fire', () => {
    const { scheduler, process, clock, seen } = world();
    process.run(() => {
      const second = clock.after(2, () => seen.push('second'));
      clock.after(1, () => {
        seen.push('first');
        second.cancel();
      });
    });
    scheduler.after(10, process.pause());
    scheduler.runUntilIdle();
    expect(seen).toEqual(['first']);
  });

  it('pauses overlap, and one can begin in the middle of the catch-up', () => {
    const { scheduler, process, clock, seen } = world();
    process.run(() => {
      clock.after(1, () => {
        seen.push(`first ${String(clock.now())}`);
        scheduler.after(5, process.pause());
      });
      clock.after(2, () => seen.push(`second ${String(clock.now())}`));
    });
    scheduler.after(10, process.pause());
    scheduler.after(20, process.pause());
    scheduler.runUntilIdle();
    expect(seen).toEqual(['first 20', 'second 25']);
  });

  it('a process killed meanwhile does nothing any more', () => {
    const { scheduler, process, clock } = world();
    process.run(() => {
      clock.after(1, () => {
        throw new Error('dead');
      });
    });
    scheduler.after(10, process.pause());
    scheduler.after(5, () => {
      process.kill();
    });
    scheduler.runUntilIdle();
  });
});

describe('process: pauses of a node', () => {
  it.each(['primary', 'secondary'] as const)('a %s that was stopped for long comes back into sync', (who) => {
    const pair = new Pair({ replication: 'memsync' });
    pair.begin();
    for (let i = 0; i < 20; i++) pair.app.act();
    const node = who === 'primary' ? pair.a : pair.b;
    node.machine.pause(60_000);
    pair.wait(30_000);
    for (let i = 0; i < 20; i++) pair.app.act();
    pair.wait(40_000);
    pair.inSync(pair.a);
    expect(pair.a.userData()).toEqual(pair.b.userData());
    expect(pair.app.violations).toEqual([]);
    expect(pair.app.failed).toBe(0);
  });

  it('a paused worker is noticed by its peer, its daemon is not held up', () => {
    const pair = new Pair();
    pair.begin();
    pair.b.pause('worker', 50_000);
    pair.app.write(0, 1);
    pair.until(() => pair.logged(pair.a, 'Disconnected'), 40_000);
    pair.settle();
    expect(pair.app.acknowledged).toBe(1);
    pair.inSync(pair.a);
    pair.b.pause('daemon', 1_000);
    pair.app.write(0, 1);
    pair.settle(500);
    expect(pair.app.violations).toEqual([]);
  });
});
