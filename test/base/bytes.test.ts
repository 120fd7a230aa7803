import { describe, expect, it } from 'vitest';
import { assert, unreachable } from '../../core/base/assert.js';
import { bytesOf, roundUp, sameBytes, textOf, viewOf } from '../../core/base/bytes.js';

describe('bytes', () => {
  it('are text, one character each; what does not fit becomes a question mark', () => {
    expect(bytesOf('aé€')).toEqual(Uint8Array.of(0x61, 0xe9, 0x3f));
    expect(textOf(Uint8Array.of(0x61, 0xe9, 0))).toBe('aé\0');
  });

  it('are compared as a whole', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(sameBytes(bytes, bytes.slice())).toBe(true);
    expect(sameBytes(bytes, Uint8Array.of(1, 2, 4))).toBe(false);
    expect(sameBytes(bytes, Uint8Array.of(1, 2))).toBe(false);
  });

  it('have a view of just themselves', () => {
    const all = Uint8Array.of(0, 0, 5, 6, 0);
    const view = viewOf(all.subarray(2, 4));
    expect([view.byteLength, view.getUint16(0, true)]).toEqual([2, 0x0605]);
  });

  it('are rounded up beyond 32 bits', () => {
    expect(roundUp(2 ** 40 + 1, 512)).toBe(2 ** 40 + 512);
    expect(roundUp(512, 512)).toBe(512);
    expect(roundUp(0, 8)).toBe(0);
  });
});

describe('assertions', () => {
  it('crash with what is wrong', () => {
    expect(() => {
      assert(false, 'the count is below zero');
    }).toThrow('the count is below zero');
    assert(true, 'never');
    expect(() => unreachable('surprise' as never)).toThrow('unreachable: surprise');
  });
});
