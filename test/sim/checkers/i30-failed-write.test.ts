import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

function failed(marked: boolean, dirty: number, where: 'a' | 'b' | null): Stage {
  const stage = new Stage().pair();
  stage.nodes.a.status = { ...stage.nodes.a.status, dirty };
  const request = stage.submit('a', 'write', 3);
  stage.mark('a', 3, true);
  if (where !== null) stage.put(where, 3, request.write);
  if (!marked) stage.nodes.a.durable.bits.clear();
  stage.answer(request, 'EIO');
  return stage;
}

describe('I30', () => {
  it('reports a difference without a bit', () => {
    expect(failed(false, 4096, 'b').found).toEqual(['I30']);
  });

  it('reports a difference that nobody will copy', () => {
    expect(failed(true, 0, 'b').found).toEqual(['I30']);
  });

  it('has nothing to say about one that is due, nor where nothing was written', () => {
    expect(failed(true, 4096, 'b').found).toEqual([]);
    expect(failed(false, 0, null).found).toEqual([]);
  });
});
