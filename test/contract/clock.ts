import sinon from 'sinon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Turns } from '../../core/base/turns.js';
import type { Clock } from '../../core/ports/clock.js';
import type { World } from './world.js';

export interface ClockSetup {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly world: World;
  teardown(): void;
}

/** What every Clock does. */
export function clockContract(name: string, setup: () => ClockSetup): void {
  describe(`clock contract: ${name}`, () => {
    let context: ClockSetup;
    beforeEach(() => {
      context = setup();
    });
    afterEach(() => {
      context.teardown();
    });

    it('never goes back, and fires once, not in the call and not before its time', async () => {
      const { clock, world } = context;
      const start = clock.now();
      const fire = sinon.spy(() => {
        expect(clock.now()).toBeGreaterThanOrEqual(start + 20);
      });
      world.run(() => {
        clock.after(20, fire);
        expect(fire.called).toBe(false);
      });
      await world.until('the timer fires', () => fire.called);
      await world.settle();
      expect(fire.callCount).toBe(1);
    });

    it('fires in order of time', async () => {
      const { clock, world } = context;
      const fire = sinon.spy();
      world.run(() => {
        clock.after(30, () => fire('second'));
        clock.after(5, () => fire('first'));
      });
      await world.until('both timers fire', () => fire.callCount === 2);
      expect(fire.args).toEqual([['first'], ['second']]);
    });

    it('a delay of 0 is not in the call either', async () => {
      const { clock, world } = context;
      const fire = sinon.spy();
      world.run(() => {
        clock.after(0, fire);
        expect(fire.called).toBe(false);
      });
      await world.until('the timer fires', () => fire.called);
    });

    it('does not fire once cancelled; cancelling afterwards is harmless', async () => {
      const { clock, world } = context;
      const cancelled = sinon.spy();
      const fire = sinon.spy();
      world.run(() => {
        const timer = clock.after(1, cancelled);
        const last = clock.after(2, () => {
          fire();
          last.cancel();
        });
        timer.cancel();
        timer.cancel();
      });
      await world.until('the later timer fires', () => fire.called);
      await world.settle();
      expect(cancelled.called).toBe(false);
    });

    it('fires as one turn', async () => {
      const { clock, turns, world } = context;
      const calls = sinon.spy();
      world.run(() => {
        clock.after(1, () => {
          turns.atEnd(() => calls('end of turn'));
          calls('fired');
        });
        clock.after(2, () => calls('another'));
      });
      await world.until('both timers fire', () => calls.callCount === 3);
      // Which timer is first is not promised: under load both may be due at once.
      const order = calls.args.flat();
      expect(order.indexOf('end of turn')).toBe(order.indexOf('fired') + 1);
    });
  });
}
