import { describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';

describe('turns', () => {
  it('hands collected work over once, after the callback, in order', () => {
    const turns = new Turns();
    const seen: string[] = [];
    turns.run(() => {
      turns.atEnd(() => seen.push('first'));
      turns.atEnd(() => {
        seen.push('second');
        turns.atEnd(() => seen.push('third'));
      });
      seen.push('callback');
    });
    expect(seen).toEqual(['callback', 'first', 'second', 'third']);
  });

  it('asserts that a port does not complete inside the call that started it', () => {
    const turns = new Turns();
    expect(() => {
      turns.run(() => {
        turns.run(() => undefined);
      });
    }).toThrow('a port completed inside the call that started it');
  });
});
