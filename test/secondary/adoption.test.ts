/** A new disk on the secondary's side: it is of no use until it has everything (C20, W6, W8, I17, I18). */
import { describe, expect, it } from 'vitest';
import { Pair } from '../primary/pair.js';
import { violationsOf } from '../primary/pair-checks.js';

const DATA = { offset: Pair.at(0), length: 8 * 8192 };

/** B has a new disk and took over the resource id; the answer did not reach A, which never wrote alone. */
function adopted(): Pair {
  const pair = new Pair();
  pair.begin();
  pair.app.write(20, 1);
  pair.settle();
  pair.app.flush();
  pair.settle();
  pair.wait(20_000);
  pair.b.killAll();
  pair.b.create();
  pair.b.medium.visible.fill(0, Pair.at(0));
  pair.b.medium.durable.fill(0, Pair.at(0));
  pair.revive(pair.b);
  pair.b.setRole('secondary');
  pair.until(() => pair.b.metadata().resuid !== 0n);
  pair.b.killAll();
  pair.a.killWorker();
  pair.wait(2_000);
  expect(pair.a.metadata().localcnt).toBe(0n);
  pair.revive(pair.b);
  return pair;
}

describe('a secondary with a new disk, whose answer was lost', () => {
  it('stays incomplete until everything was copied', () => {
    const pair = adopted();
    const normal = pair.b.medium.slow({ operation: 'write', delayMs: 30_000, ...DATA });
    pair.role(pair.b, 'secondary');
    pair.until(() => pair.logged(pair.a, 'Synchronization started'));
    pair.wait(1_000);
    expect(pair.b.metadata().incomplete).toBe(true);
    pair.a.killAll();
    normal();
    pair.until(() => !pair.b.hasWorker);
    pair.role(pair.b, 'primary');
    pair.wait(10_000);
    expect(pair.app.device).toBeNull();
    pair.revive(pair.a);
    pair.role(pair.a, 'secondary');
    pair.wait(60_000);
    expect(violationsOf(pair, pair.a)).toEqual([]);
    pair.role(pair.b, 'secondary');
    pair.role(pair.a, 'primary');
    pair.inSync(pair.a);
    expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
  });

  it('is no source when it is promoted before it has got anything', () => {
    const pair = adopted();
    pair.role(pair.a, 'secondary');
    pair.role(pair.b, 'primary');
    pair.wait(60_000);
    expect(pair.app.device).toBeNull();
    expect(violationsOf(pair, pair.a)).toEqual([]);
  });
});
