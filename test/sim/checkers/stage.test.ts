/** A history in which nothing is wrong: no judge has anything to say. */
import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('judges', () => {
  it('have nothing to say about a day on which all goes well', () => {
    const stage = new Stage().pair();
    const word = stage.write('a', 3, ['a', 'b']);
    stage.read('a', 3, word);
    const flush = stage.submit('a', 'flush');
    stage.flush('a');
    stage.flush('b');
    stage.answer(flush);
    stage.mark('a', 3, false);
    stage.judges.quiet('a');
    stage.pass(10_000);
    expect(stage.judges.violations).toEqual([]);
  });

  it('have nothing to say when the secondary is away for a while', () => {
    const stage = new Stage().pair();
    stage.disconnect('a');
    stage.nodes.a.status = { ...stage.nodes.a.status, status: 'degraded', dirty: 4096 };
    const word = stage.write('a', 3, ['a']);
    stage.pass(10_000);
    stage.connect('a');
    stage.say('a', 'primary', 'syncstart');
    stage.put('b', 3, word);
    stage.flush('a');
    stage.flush('b');
    stage.store('a', { localcnt: 0n });
    stage.nodes.a.status = { ...stage.nodes.a.status, status: 'complete', dirty: 0 };
    stage.say('a', 'primary', 'syncdone');
    stage.mark('a', 3, false);
    stage.judges.quiet('a');
    expect(stage.judges.violations).toEqual([]);
  });

  it('have nothing to say when the roles change', () => {
    const stage = new Stage().pair();
    const word = stage.write('a', 3, ['a', 'b'], true);
    stage.mark('a', 3, false);
    stage.order('a', 'secondary');
    stage.endWorker('a', 'primary', true);
    stage.endWorker('b', 'secondary', true);
    stage.order('b', 'primary');
    stage.startWorker('b', 'primary');
    stage.judges.deviceAppeared('b', false);
    stage.read('b', 3, word);
    stage.connect('b');
    stage.agree('b');
    stage.pass(60_000);
    expect(stage.judges.violations).toEqual([]);
  });
});
