import sinon from 'sinon';
import { Turns } from '../../core/base/turns.js';
import { RealClock } from '../../native/clock.js';
import { SimClock } from '../../sim/clock.js';
import { SimProcess } from '../../sim/process.js';
import { Scheduler } from '../../sim/scheduler.js';
import { clockContract } from './clock.js';
import { realWorld, simWorld } from './world.js';

clockContract('simulated', () => {
  const scheduler = new Scheduler();
  const process = new SimProcess('process');
  return {
    clock: new SimClock(scheduler, process),
    turns: process.turns,
    world: simWorld(scheduler, process),
    teardown: () => undefined,
  };
});

clockContract('real', () => {
  const turns = new Turns();
  return { clock: new RealClock(turns), turns, world: realWorld(turns), teardown: () => undefined };
});

clockContract('real, on fake timers', () => {
  const fake = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const turns = new Turns();
  return {
    clock: new RealClock(turns),
    turns,
    world: {
      run: (callback) => {
        turns.run(callback);
      },
      until: (what, condition) => {
        for (let ms = 0; !condition(); ms++) {
          if (ms > 60_000) throw new Error(`did not happen: ${what}`);
          fake.tick(1);
        }
        return Promise.resolve();
      },
      settle: () => {
        fake.tick(60_000);
        return Promise.resolve();
      },
    },
    teardown: () => {
      fake.restore();
    },
  };
});
