import { describe, expect, it } from 'vitest';
import type { Checker } from '../../sim/checkers/checker.js';
import { Listeners } from '../../sim/checkers/listeners.js';

class Onlooker implements Checker {
  quiet(): void {
    // Looks on.
  }
}

describe('listeners', () => {
  const deaf: Checker = {};
  const one: Checker = { quiet: () => undefined, healed: () => undefined };
  const other: Checker = { quiet: () => undefined };

  it('are those that have a handler, in order', () => {
    const listeners = new Listeners([one, deaf, other], null);
    expect(listeners.to('quiet')).toEqual([one, other]);
    expect(listeners.to('healed')).toEqual([one]);
    expect(listeners.to('ended')).toEqual([]);
  });

  it('begin with the one who is to be first, and who may be a class', () => {
    const first = new Onlooker();
    const listeners = new Listeners([one], first);
    expect(listeners.to('quiet')).toEqual([first, one]);
    expect(listeners.to('healed')).toEqual([one]);
    expect(new Listeners([], first).to('quiet')).toEqual([first]);
  });

  it('would miss the handlers of a judge that is a class', () => {
    expect(() => new Listeners([new Onlooker()], null)).toThrow('what a judge handles is its own');
  });
});
