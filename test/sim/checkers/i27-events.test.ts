import { describe, expect, it } from 'vitest';
import type { ResourceEvent } from '../../../core/resource/types.js';
import { Stage } from './stage.js';

describe('I27', () => {
  it.each<readonly ResourceEvent[]>([
    ['connect', 'syncstart', 'syncdone', 'syncstart', 'disconnect', 'syncintr', 'connect'],
    ['mismatch', 'dual-primary', 'connect', 'disconnect'],
  ])('allows %s, %s, %s, %s ...', (...events) => {
    const stage = new Stage();
    stage.startWorker('a', 'primary');
    for (const event of events) stage.say('a', 'primary', event);
    expect(stage.found).toEqual([]);
  });

  it.each<readonly ResourceEvent[]>([
    ['disconnect'],
    ['syncstart'],
    ['connect', 'connect'],
    ['connect', 'syncdone'],
    ['connect', 'syncstart', 'syncstart'],
    ['connect', 'syncstart', 'syncintr'],
    ['connect', 'syncstart', 'disconnect', 'connect'],
    ['connect', 'syncstart', 'disconnect', 'syncdone'],
    ['connect', 'mismatch'],
  ])('reports %s, %s, %s, %s', (...events) => {
    const stage = new Stage();
    stage.startWorker('a', 'primary');
    for (const event of events) stage.say('a', 'primary', event);
    expect(stage.found).toEqual(['I27']);
  });

  it('knows one session of a secondary only', () => {
    const stage = new Stage();
    stage.startWorker('b', 'secondary');
    for (const event of ['connect', 'disconnect', 'connect'] as const) stage.say('b', 'secondary', event);
    expect(stage.found).toEqual(['I27']);
  });
});
