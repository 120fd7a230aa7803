import { describe, expect, it } from 'vitest';
import { assert, unreachable } from '../../core/base/assert.js';
import { bytesOf, putUint32, roundUp, sameBytes, textOf, uint32At, viewOf } from '../../core/base/bytes.js';

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

  it('hold 32-bit numbers, the lowest byte first, wherever they are', () => {
    const bytes = new Uint8Array(6);
    putUint32(bytes, 1, 0xfedcba98);
    expect(bytes).toEqual(Uint8Array.of(0, 0x98, 0xba, 0xdc, 0xfe, 0));
    expect(uint32At(bytes, 1)).toBe(0xfedcba98);
    putUint32(bytes, 1, 2 ** 40 + 1);
    expect(uint32At(bytes, 1)).toBe(1);
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
