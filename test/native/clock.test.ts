import sinon from 'sinon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import { RealClock } from '../../native/clock.js';

describe('real clock, on fake timers', () => {
  let fake: sinon.SinonFakeTimers;
  beforeEach(() => {
    fake = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  });
  afterEach(() => {
    fake.restore();
  });

  it('waits longer than setTimeout can', () => {
    const days = 100 * 24 * 3600 * 1000;
    const fire = sinon.spy();
    new RealClock(new Turns()).after(days, fire);
    fake.tick(days - 1);
    expect(fire.called).toBe(false);
    fake.tick(1);
    expect(fire.callCount).toBe(1);
  });

  it('can be cancelled while it waits so long', () => {
    const fire = sinon.spy();
    const timer = new RealClock(new Turns()).after(2 ** 32, fire);
    fake.tick(2 ** 31);
    timer.cancel();
    fake.tick(2 ** 32);
    expect(fire.called).toBe(false);
  });

  it('does not care about the wall clock', () => {
    const clock = new RealClock(new Turns());
    const fire = sinon.spy();
    clock.after(1000, fire);
    const before = clock.now();
    fake.setSystemTime(0);
    expect(clock.now()).toBe(before);
    fake.tick(1000);
    expect(fire.callCount).toBe(1);
  });

  it('fires late rather than early when the event loop was held up before', () => {
    fake.restore();
    const clock = new RealClock(new Turns());
    const start = clock.now();
    while (clock.now() < start + 30);
    const armed = clock.now();
    return new Promise<void>((resolve) => {
      clock.after(5, () => {
        expect(clock.now()).toBeGreaterThanOrEqual(armed + 5);
        resolve();
      });
    });
  });
});
