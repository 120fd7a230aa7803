import { describe, expect, it } from 'vitest';
import type { Checker } from '../../sim/checkers/checker.js';
import { Listeners } from '../../sim/checkers/listeners.js';

class Onlooker implements Checker {
  readonly #told: string[];

  constructor(told: string[]) {
    this.#told = told;
  }

  quiet(): void {
    this.#told.push('onlooker');
  }
}

describe('listeners', () => {
  const told: string[] = [];
  const teller = (text: string) => () => void told.push(text);
  const deaf: Checker = {};
  const one: Checker = { quiet: teller('one'), healed: teller('healed') };
  const other: Checker = { quiet: teller('other') };

  function tell(listeners: Listeners, handler: 'quiet' | 'healed' | 'ended'): string[] {
    told.length = 0;
    if (handler === 'quiet') for (const quiet of listeners.to('quiet')) quiet('a');
    else for (const handle of listeners.to(handler)) handle();
    return told.slice();
  }

  it('are those that have a handler, in order', () => {
    const listeners = new Listeners([one, deaf, other], null);
    expect(tell(listeners, 'quiet')).toEqual(['one', 'other']);
    expect(tell(listeners, 'healed')).toEqual(['healed']);
    expect(tell(listeners, 'ended')).toEqual([]);
  });

  it('begin with the one who is to be first, and who may be a class', () => {
    const first = new Onlooker(told);
    const listeners = new Listeners([one], first);
    expect(tell(listeners, 'quiet')).toEqual(['onlooker', 'one']);
    expect(tell(listeners, 'healed')).toEqual(['healed']);
    expect(tell(new Listeners([], first), 'quiet')).toEqual(['onlooker']);
  });

  it('would miss the handlers of a judge that is a class', () => {
    expect(() => new Listeners([new Onlooker(told)], null)).toThrow('what a judge handles is its own');
  });
});
