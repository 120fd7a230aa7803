import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCodecs } from '../../native/codecs.js';
import { simCodecs } from '../../sim/codecs.js';

const data = fc.uint8Array({ maxLength: 5000 });

describe('codecs of Node', () => {
  const codecs = nodeCodecs();

  it('equal the TypeScript ones', () => {
    fc.assert(
      fc.property(data, (bytes) => {
        expect(codecs.crc32(bytes)).toBe(simCodecs.crc32(bytes));
        expect([...codecs.sha256(bytes)]).toEqual([...simCodecs.sha256(bytes)]);
        expect(codecs.isZero(bytes)).toBe(simCodecs.isZero(bytes));
      }),
    );
  });

  it('take views into larger buffers', () => {
    const slab = new TextEncoder().encode('--123456789--');
    expect(codecs.crc32(slab.subarray(2, 11))).toBe(0xcbf43926);
    expect([...codecs.sha256(slab.subarray(2, 11))]).toEqual([...simCodecs.sha256(slab.slice(2, 11))]);
  });
});
