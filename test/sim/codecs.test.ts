import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { remembering, simCodecs } from '../../sim/codecs.js';

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

describe('digests that are remembered', () => {
  it('are those that would be computed', () => {
    for (const length of [0, 63, 64, 65, 511, 512, 4099, 16_384, 20_000]) {
      for (const byte of [1, 2, 1]) {
        const data = filled(length, byte);
        expect(Buffer.from(simCodecs.sha256(data))).toEqual(createHash('sha256').update(data).digest());
        expect(simCodecs.crc32(data)).toBe(crc32(data));
      }
    }
  });

  it('are computed once for the same bytes, wherever they are', () => {
    let computed = 0;
    const digest = remembering((data) => (computed++, data[0] ?? 0));
    const [one, other] = [filled(512, 1), filled(512, 1)];
    expect([digest(one), digest(other), digest(one)]).toEqual([1, 1, 1]);
    expect(computed).toBe(1);
  });

  it('are computed again when a byte differs, the last one, too, or the length', () => {
    let computed = 0;
    const digest = remembering(() => ++computed);
    const data = filled(515, 1);
    digest(data);
    for (const at of [0, 300, 514]) {
      const changed = data.slice();
      changed[at] = 2;
      digest(changed);
    }
    digest(data.subarray(0, 512));
    expect(computed).toBe(5);
  });

  it('do not change with the bytes they are of', () => {
    const digest = remembering((data) => data[0] ?? 0);
    const data = filled(512, 1);
    digest(data);
    data.fill(2);
    expect([digest(data), digest(filled(512, 1))]).toEqual([2, 1]);
  });
});
