import { describe, expect, it } from 'vitest';
import { Activemap } from '../../core/activemap/activemap.js';
import { MAX_LOCAL_BAD } from '../../core/metadata/codec.js';
import { MetadataStore } from '../../core/metadata/store.js';
import type { PortError } from '../../core/ports/error.js';
import { Truth } from '../../core/primary/truth.js';
import { openComponent } from '../../core/resource/component.js';
import { simCodecs } from '../../sim/codecs.js';
import { SimLog } from '../../sim/log.js';
import { SimProcess } from '../../sim/process.js';
import { Pair } from './pair.js';

/** A truth on the metadata of a fresh component; its operations are run to their end. */
function world() {
  const pair = new Pair();
  pair.a.create();
  const { medium } = pair.a;
  const process = new SimProcess('test');
  const disk = medium.open(pair.scheduler, process);
  const ports = { disk, codecs: simCodecs, log: new SimLog() };
  let truth: Truth | null = null;
  openComponent(ports, 'r0', (_error, component) => {
    if (component === null) return;
    const metadata = { ...component.metadata, datasize: 1024 * 1024 };
    const { bits } = component;
    truth = new Truth(
      new Activemap({ ...metadata, mapBytes: bits.length }),
      new MetadataStore(ports, metadata),
    );
  });
  pair.scheduler.runUntilIdle();
  const outcome = (operation: (truth: Truth, done: (error: PortError | null) => void) => void) => {
    let result: PortError | null | 'pending' = 'pending';
    if (truth === null) throw new Error('no component');
    operation(truth, (error) => {
      result = error;
    });
    pair.scheduler.runUntilIdle();
    return result;
  };
  return { medium, outcome };
}

const place = (n: number, length = 512) => ({ offset: n * 512, length });

describe('the list of bad ranges', () => {
  it('is full at its limit, also for a write in the middle of a range, which would split it', () => {
    const { outcome } = world();
    expect(outcome((truth, done) => truth.localFailed(place(0, 3 * 512), done))).toBeNull();
    for (let n = 1; n < MAX_LOCAL_BAD; n++) {
      expect(outcome((truth, done) => truth.localFailed(place(2 + 2 * n), done))).toBeNull();
    }
    expect(outcome((truth, done) => truth.localFailed(place(2_000), done))).toMatchObject({ code: 'EIO' });
    expect(outcome((truth, done) => truth.localWritten(place(1), done))).toMatchObject({ code: 'EIO' });
    outcome((truth, done) => {
      expect(truth.localBad).toHaveLength(MAX_LOCAL_BAD);
      expect(truth.of(place(1))).toBe('peer');
      done(null);
    });
    expect(outcome((truth, done) => truth.localWritten(place(0), done))).toBeNull();
  });

  it('keeps what was bad before when it cannot be stored', () => {
    const { medium, outcome } = world();
    outcome((truth, done) => {
      truth.localFailed(place(8), done);
    });
    const heal = medium.inject({ operation: 'write', code: 'EIO', times: 'always', offset: 0, length: 512 });
    const error = outcome((truth, done) => truth.localFailed(place(6, 6 * 512), done));
    expect(error).toMatchObject({ code: 'EIO' });
    heal();
    outcome((truth, done) => {
      expect(truth.of(place(8))).toBe('peer');
      done(null);
    });
  });
});
