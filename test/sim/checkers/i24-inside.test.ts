import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I24', () => {
  it.each([
    ['from the map into the data', 4096, 1024],
    ['from the metadata into the map', 3584, 1024],
    ['beyond the end', 4608 + 32 * 512, 512],
    ['a part of the metadata', 0, 512],
  ])('reports a write %s', (_where, offset, length) => {
    const stage = new Stage().pair();
    stage.judges.diskWriteStarted('a', offset, length, new Uint8Array(length));
    expect(stage.found).toContain('I24');
  });

  it('reports metadata that make no sense', () => {
    const stage = new Stage().pair();
    stage.judges.diskWriteStarted('a', 0, 4096, new Uint8Array(4096).fill(1));
    expect(stage.found).toEqual(['I24']);
  });

  it('reports metadata that move the data', () => {
    const stage = new Stage().pair();
    stage.store('a', { datasize: 4096 });
    expect(stage.found).toEqual(['I24']);
  });

  it('reports data that nobody asked for', () => {
    const stage = new Stage().pair();
    const word = stage.write('a', 3, ['a', 'b'], true);
    stage.disconnect('a');
    stage.put('a', 3, word);
    expect(stage.found).toEqual(['I24']);
  });

  it('reports a secondary that writes before the primary has begun the session', () => {
    const stage = new Stage().pair();
    const word = stage.write('a', 3, ['a', 'b'], true);
    stage.disconnect('a');
    stage.startWorker('b', 'secondary');
    stage.say('b', 'secondary', 'connect');
    stage.put('b', 3, word);
    expect(stage.found).toEqual(['I24']);
  });
});
