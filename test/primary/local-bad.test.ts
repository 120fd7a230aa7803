/** Local writes that failed where the peer's succeeded (W18): what only one node has is never taken from the other. */
import { describe, expect, it } from 'vitest';
import { Pair } from './pair.js';
import { violationsOf } from './pair-checks.js';

const BAD = 20;

/** In sync; then a write failed on A alone. The sector stays bad until `heal` is called. */
function withBadSector(pair: Pair): () => void {
  pair.begin();
  pair.app.write(BAD, 1);
  pair.settle();
  pair.app.flush();
  pair.settle();
  const bad = {
    operation: 'write',
    code: 'EIO',
    times: 'always',
    offset: Pair.at(BAD),
    length: 512,
  } as const;
  const heal = pair.a.medium.inject(bad);
  pair.app.write(BAD, 1);
  pair.settle();
  return heal;
}

function readBad(pair: Pair): void {
  pair.app.read(BAD, 1);
  pair.wait(30_000);
}

describe('bytes that are bad on one node', () => {
  it('stay so over a role change, until they are written', () => {
    const pair = new Pair();
    const heal = withBadSector(pair);
    pair.role(pair.a, 'secondary');
    pair.role(pair.b, 'primary');
    pair.wait(5_000);
    pair.b.killAll();
    heal();
    pair.until(() => !pair.a.hasWorker);
    pair.role(pair.a, 'primary');
    pair.revive(pair.b);
    pair.role(pair.b, 'secondary');
    pair.wait(30_000);
    readBad(pair);
    // What is on A now depends on how much of the failed copy got there; nobody is given it.
    expect(violationsOf(pair, pair.b)).toEqual([]);
    expect(pair.a.metadata().incomplete).toBe(true);
  });

  it('are good again once the new primary has copied them', () => {
    const pair = new Pair();
    const heal = withBadSector(pair);
    pair.role(pair.a, 'secondary');
    heal();
    pair.role(pair.b, 'primary');
    pair.inSync(pair.b);
    // The last word of the synchronisation is on its way.
    pair.wait(100);
    expect(pair.a.metadata()).toMatchObject({ localBad: [], incomplete: false });
    expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
  });

  it('are not copied to the other node when that one is out of date elsewhere', () => {
    const pair = new Pair();
    const heal = withBadSector(pair);
    pair.b.killAll();
    pair.wait(1_000);
    pair.app.write(100, 1);
    pair.settle();
    pair.role(pair.a, 'secondary');
    heal();
    pair.revive(pair.b);
    pair.role(pair.b, 'primary');
    pair.wait(30_000);
    readBad(pair);
    expect(violationsOf(pair)).toEqual([]);
    // The way out: the node with the newer data elsewhere is primary again, and gets these bytes from the other one.
    pair.role(pair.b, 'secondary');
    pair.role(pair.a, 'primary');
    pair.inSync(pair.a);
    expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
  });

  it('are not taken from a peer that was created anew', () => {
    const pair = new Pair();
    const heal = withBadSector(pair);
    pair.b.killAll();
    heal();
    pair.b.create();
    pair.b.medium.visible.fill(0, Pair.at(0));
    pair.revive(pair.b);
    pair.role(pair.b, 'secondary');
    pair.wait(30_000);
    readBad(pair);
    expect(violationsOf(pair)).toEqual([]);
    expect(pair.logged(pair.a, 'created anew')).toBe(true);
    pair.app.write(BAD, 1);
    pair.inSync(pair.a);
    expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
  });

  it.each([1, 2, 3, 4])(
    'are mended when a later write succeeds, whatever the peer answers first (%i)',
    (seed) => {
      const pair = new Pair({ replication: 'async' }, seed);
      pair.begin();
      pair.b.medium.slow({ operation: 'write', delayMs: 1_000, offset: Pair.at(BAD), length: 512 });
      const once = {
        operation: 'write',
        code: 'EIO',
        times: 'once',
        offset: Pair.at(BAD),
        length: 512,
      } as const;
      pair.a.medium.inject(once);
      pair.app.write(BAD, 1);
      pair.app.write(BAD, 1);
      // The peer has executed the first one only.
      pair.wait(1_500);
      pair.b.losePower();
      pair.wait(30_000);
      pair.revive(pair.b);
      pair.role(pair.b, 'secondary');
      pair.wait(60_000);
      readBad(pair);
      expect(violationsOf(pair, pair.a)).toEqual([]);
    },
  );

  it('are copied back when the sector heals, although their extent was being synchronised', () => {
    const pair = new Pair();
    pair.begin();
    pair.b.killAll();
    pair.wait(1_000);
    pair.app.write(16, 16);
    pair.settle();
    pair.b.medium.slow({ operation: 'write', delayMs: 300, offset: Pair.at(24), length: 512 });
    pair.revive(pair.b);
    pair.role(pair.b, 'secondary');
    pair.until(() => pair.a.lines.filter(({ text }) => text.includes('Synchronization started')).length > 0);
    pair.wait(100);
    const bad = {
      operation: 'write',
      code: 'EIO',
      times: 'always',
      offset: Pair.at(16),
      length: 512,
    } as const;
    const heal = pair.a.medium.inject(bad);
    pair.a.medium.slow({ operation: 'write', delayMs: 500, offset: 0, length: 512 });
    pair.app.write(16, 1);
    pair.wait(5_000);
    heal();
    pair.wait(120_000);
    expect(pair.a.metadata().localBad).toEqual([]);
    expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
  });
});
