import { describe, expect, it } from 'vitest';
import { Stage } from './stage.js';

describe('I3', () => {
  it('reports an acknowledgement in fullsync before the secondary has the write', () => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['a']);
    expect(stage.found).toContain('I3');
  });

  it('allows it in async', () => {
    const stage = new Stage().pair();
    stage.replication = 'async';
    stage.write('a', 3, ['a']);
    expect(stage.found).toEqual([]);
  });

  it('reports a write that is on no disk', () => {
    const stage = new Stage().pair();
    stage.replication = 'memsync';
    stage.write('a', 3, []);
    expect(stage.found).toEqual(['I3']);
  });

  it.each([true, false])('reports a write that only the peer has, and only in its memory (%s)', (durably) => {
    const stage = new Stage().pair();
    stage.write('a', 3, ['b'], durably);
    expect(stage.found.includes('I3')).toBe(!durably);
  });

  it('reports a write alone without a bit', () => {
    const stage = new Stage().pair();
    stage.disconnect('a');
    const request = stage.submit('a', 'write', 3);
    stage.put('a', 3, request.write);
    stage.answer(request);
    expect(stage.found).toContain('I3');
  });
});
