/** A primary whose peer has the newer data (W9, I19): nothing that was acknowledged goes, and nothing is mixed. */
import { describe, expect, it } from 'vitest';
import type { ResourceConfig } from '../../core/config/types.js';
import { EXTENT_SECTORS, Pair } from './pair.js';
import { violationsOf } from './pair-checks.js';

const DATA = { offset: Pair.at(0), length: 8 * EXTENT_SECTORS * 512 };
const METADATA = { offset: 0, length: 512 };

function writeEverywhere(pair: Pair): void {
  for (let extent = 0; extent < 8; extent++) pair.app.write(extent * EXTENT_SECTORS, 4);
  pair.settle();
  pair.app.flush();
  pair.settle();
}

/** A was away while B was primary and wrote; now both are up and B is secondary. A's role is init. */
function failback(config: Partial<ResourceConfig> = {}): Pair {
  const pair = new Pair(config);
  pair.begin();
  writeEverywhere(pair);
  pair.a.killAll();
  pair.wait(30_000);
  pair.role(pair.b, 'primary');
  pair.wait(15_000);
  writeEverywhere(pair);
  pair.role(pair.b, 'secondary');
  pair.revive(pair.a);
  return pair;
}

describe('a primary that is out of date', () => {
  it.each(['fullsync', 'memsync', 'async'] as const)(
    'keeps an acknowledged write when its source loses power (%s)',
    (replication) => {
      for (let extent = 0; extent < 8; extent++) {
        const pair = failback({ replication });
        const normal = pair.b.medium.slow({ operation: 'read', delayMs: 300, ...DATA });
        pair.role(pair.a, 'primary');
        pair.until(() => pair.a.metadata().incomplete);
        pair.wait(100);
        pair.app.write(extent * EXTENT_SECTORS + 2, 1);
        pair.settle();
        pair.b.losePower();
        normal();
        pair.revive(pair.b);
        pair.role(pair.b, 'secondary');
        pair.inSync(pair.a);
        expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
      }
    },
  );

  it('is so no longer when its copy is complete, even if the source goes in that moment', () => {
    const pair = failback();
    pair.role(pair.a, 'primary');
    pair.until(() => pair.a.metadata().incomplete);
    pair.a.medium.slow({ operation: 'write', delayMs: 3_000, ...METADATA });
    pair.wait(1_000);
    pair.b.killAll();
    pair.wait(30_000);
    expect(pair.a.metadata().incomplete).toBe(false);
    pair.app.write(3, 1);
    pair.settle();
    expect(pair.app.failed).toBe(0);
    expect(violationsOf(pair, pair.a)).toEqual([]);
  });

  /** A serves alone, and every write of its metadata takes long; B has just come, and A has not heard its verdict. */
  function met(): Pair {
    const pair = failback();
    pair.role(pair.b, 'init');
    pair.role(pair.a, 'primary');
    pair.wait(1_000);
    pair.a.medium.slow({ operation: 'write', delayMs: 2_000, ...METADATA });
    pair.role(pair.b, 'secondary');
    pair.until(() => pair.b.hasWorker);
    return pair;
  }

  it('acknowledges nothing alone from the moment it knows', () => {
    const pair = met();
    pair.wait(500);
    pair.app.write(7 * EXTENT_SECTORS, 1);
    pair.inSync(pair.a);
    expect(pair.app.failed).toBe(0);
    expect(pair.b.hooks).not.toContain('split-brain r0');
    expect(violationsOf(pair, pair.a, pair.b)).toEqual([]);
  });

  it('is none when it wrote alone during the handshake: that is a split-brain', () => {
    const pair = met();
    pair.app.write(7 * EXTENT_SECTORS, 1);
    pair.wait(60_000);
    expect(pair.b.hooks).toContain('split-brain r0');
    expect(pair.a.metadata().incomplete).toBe(false);
    pair.app.write(4, 1);
    pair.settle();
    expect(pair.app.failed).toBe(0);
  });

  it('is not declared good by a force that was meant for its former self', () => {
    const pair = failback();
    pair.a.setRole('primary', true);
    pair.b.medium.slow({ operation: 'read', delayMs: 3_000, ...DATA });
    pair.until(() => pair.a.metadata().incomplete);
    pair.cut();
    pair.a.killWorker();
    pair.wait(5_000);
    expect(pair.a.metadata().incomplete).toBe(true);
    expect(pair.app.device).toBeNull();
  });

  it('holds any number of reads when its source goes', () => {
    const pair = failback();
    pair.b.medium.slow({ operation: 'read', delayMs: 5_000, ...DATA });
    pair.role(pair.a, 'primary');
    pair.until(() => pair.app.device !== null);
    for (let i = 0; i < 20_000; i++) pair.app.read(100, 1);
    pair.wait(100);
    pair.b.killAll();
    pair.wait(100);
    expect(pair.logged(pair.a, 'Disconnected')).toBe(true);
    expect(pair.a.hasWorker).toBe(true);
  });
});
