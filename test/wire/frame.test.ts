import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeFrame, HEADER_BYTES } from '../../core/wire/frame.js';
import { nv } from '../../core/wire/nv.js';
import { hex } from './hex.js';

describe('frames', () => {
  it('puts version and list length in front', () => {
    expect(encodeFrame(2, [nv.uint8('cmd', 5)])).toEqual(
      hex('02 16000000 | 02 04 01000000 | 636d640000000000 | 0500000000000000'),
    );
    expect(encodeFrame(1, [])).toEqual(hex('01 00000000'));
  });

  it('reads a header, whatever it announces', () => {
    expect(decodeHeader(hex('02 16000000 ffff').subarray(0, HEADER_BYTES))).toEqual({
      version: 2,
      listBytes: 22,
    });
    expect(decodeHeader(hex('ff ffffffff'))).toEqual({ version: 255, listBytes: 4294967295 });
  });
});
