import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I23', () => {
  it('reports a block that is made of pieces', () => {
    const stage = new Stage().pair();
    const { write } = stage.submit('a', 'write', 3);
    stage.mark('a', 3, true);
    const words = new Uint32Array(128).fill(write);
    words[100] = 0;
    stage.judges.diskWriteStarted('b', stage.dataOffset + 3 * 512, 512, new Uint8Array(words.buffer));
    expect(stage.found).toEqual(['I23']);
  });

  it('reports a READ of pieces', () => {
    const stage = new Stage().pair();
    const word = stage.write('a', 3, ['a', 'b']);
    const request = stage.submit('a', 'read', 3);
    request.words?.fill(word, 0, 64);
    stage.answer(request);
    expect(stage.found).toEqual(['I23']);
  });

  it('reports what nobody wrote', () => {
    const stage = new Stage().pair();
    stage.mark('a', 3, true);
    stage.put('b', 3, 99);
    expect(stage.found).toContain('I23');
  });
});
