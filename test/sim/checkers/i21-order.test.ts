import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

/** Two writes of the same block, executed in different orders. */
function crossed(stage: Stage): readonly [number, number] {
  stage.mark('a', 3, true);
  const [first, second] = [stage.submit('a', 'write', 3), stage.submit('a', 'write', 3)];
  stage.put('a', 3, first.write);
  stage.put('b', 3, second.write);
  stage.put('a', 3, second.write);
  stage.put('b', 3, first.write);
  stage.answer(first);
  stage.answer(second);
  return [first.write, second.write];
}

describe('I21', () => {
  it('reports copies that end differently, in fullsync at once', () => {
    const stage = new Stage().pair();
    crossed(stage);
    expect(stage.found).toEqual(['I21']);
  });

  it('reports them in other modes after a FLUSH', () => {
    const stage = new Stage().pair();
    stage.replication = 'async';
    crossed(stage);
    expect(stage.found).toEqual([]);
    const flush = stage.submit('a', 'flush');
    stage.flush('a');
    stage.flush('b');
    stage.answer(flush);
    expect(stage.found).toEqual(['I21']);
  });

  it('reports two writes to one place at the same time', () => {
    const stage = new Stage().pair();
    stage.mark('a', 3, true);
    const { write } = stage.submit('a', 'write', 3, 4);
    const block = (at: number): number => stage.dataOffset + at * 512;
    const data = (blocks: number): Uint8Array =>
      new Uint8Array(new Uint32Array(blocks * 128).fill(write).buffer);
    stage.judges.diskWriteStarted('b', block(3), 1024, data(2));
    stage.judges.diskWriteStarted('b', block(5), 1024, data(2));
    stage.judges.diskWriteEnded('b', block(3), 1024);
    stage.judges.diskWriteStarted('b', block(3), 1024, data(2));
    expect(stage.found).toEqual([]);
    stage.judges.diskWriteStarted('b', block(6), 512, data(1));
    expect(stage.found).toEqual(['I21']);
  });
});
