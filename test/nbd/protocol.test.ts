import { describe, expect, it } from 'vitest';
import { bytesOf, viewOf } from '../../core/base/bytes.js';
import {
  decodeErrorChunk,
  decodeInfoItem,
  decodeInfoRequest,
  decodeOption,
  decodeReply,
  decodeRequest,
  encodeBlockSizeItem,
  encodeChunk,
  encodeDataChunk,
  encodeErrorChunk,
  encodeExportItem,
  encodeExportNameAnswer,
  encodeGreeting,
  encodeInfoRequest,
  encodeOption,
  encodeOptionReply,
  encodeRequest,
  encodeServerName,
  encodeSimpleReply,
  errorCode,
  errorNumber,
  replyHeaderBytes,
} from '../../native/nbd/protocol.js';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function written(length: number, write: (view: DataView) => void): string {
  const bytes = new Uint8Array(length);
  write(viewOf(bytes));
  return hex(bytes);
}

const BIG = 0x12_3456_789a_bcde;

describe('the protocol on the wire', () => {
  it('greets as a fixed newstyle server', () => {
    expect(hex(encodeGreeting())).toBe('4e42444d41474943' + '49484156454f5054' + '0003');
  });

  it('has options and their replies', () => {
    const option = encodeOption(7, Uint8Array.of(1, 2));
    expect(hex(option)).toBe('49484156454f5054' + '00000007' + '00000002' + '0102');
    expect(decodeOption(viewOf(option), 0)).toEqual({ option: 7, length: 2 });
    expect(hex(encodeOptionReply(3, 0x80000001, bytesOf('no')))).toBe(
      '0003e889045565a9' + '00000003' + '80000001' + '00000002' + '6e6f',
    );
    expect(hex(encodeServerName('ab'))).toBe('00000002' + '6162');
    option[0] = 0;
    expect(decodeOption(viewOf(option), 0)).toBeNull();
  });

  it('has the items of INFO', () => {
    expect(hex(encodeExportItem(BIG, 0x016d))).toBe('0000' + '00123456789abcde' + '016d');
    const blocks = { minimum: 512, preferred: 1 << 20, maximum: 32 << 20 };
    expect(hex(encodeBlockSizeItem(blocks))).toBe('0003' + '00000200' + '00100000' + '02000000');
    const nothing = { mediaSize: 0, flags: 0, blocks: null };
    expect(decodeInfoItem(encodeExportItem(BIG, 5), nothing)).toMatchObject({ mediaSize: BIG, flags: 5 });
    expect(decodeInfoItem(encodeBlockSizeItem(blocks), nothing).blocks).toEqual(blocks);
    expect(decodeInfoItem(Uint8Array.of(0, 9, 1), nothing)).toEqual(nothing);
    expect(decodeInfoItem(Uint8Array.of(0), nothing)).toEqual(nothing);
  });

  it('refuses a malformed INFO request', () => {
    const good = encodeInfoRequest('abc', [3, 1]);
    expect(hex(good)).toBe('00000003' + '616263' + '0002' + '0003' + '0001');
    expect(decodeInfoRequest(good)).toEqual({ name: 'abc', items: [3, 1] });
    for (let length = 0; length < good.length; length++) {
      expect(decodeInfoRequest(good.subarray(0, length))).toBeNull();
    }
    expect(decodeInfoRequest(Uint8Array.of(...good, 0))).toBeNull();
    expect(decodeInfoRequest(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0))).toBeNull();
  });

  it('answers EXPORT_NAME with or without padding', () => {
    expect(hex(encodeExportNameAnswer(BIG, 0x016d, true))).toBe('00123456789abcde' + '016d');
    expect(hex(encodeExportNameAnswer(BIG, 0x016d, false))).toBe(
      '00123456789abcde' + '016d' + '00'.repeat(124),
    );
  });

  it('has requests', () => {
    const header = {
      flags: 1,
      type: 6,
      cookieHigh: 0x01020304,
      cookieLow: 0xf5060708,
      offset: BIG,
      length: 512,
    };
    const bytes = written(28, (view) => {
      encodeRequest(view, 0, header);
    });
    expect(bytes).toBe('25609513' + '0001' + '0006' + '01020304f5060708' + '00123456789abcde' + '00000200');
    const decoded = { flags: 0, type: 0, cookieHigh: 0, cookieLow: 0, offset: 0, length: 0 };
    expect(decodeRequest(viewOf(Buffer.from(bytes, 'hex')), 0, decoded)).toBe(true);
    expect(decoded).toEqual(header);
    expect(decodeRequest(viewOf(new Uint8Array(28)), 0, decoded)).toBe(false);
  });

  it('has simple replies and chunks', () => {
    const simple = written(16, (view) => {
      encodeSimpleReply(view, 0, 28, 1, 2);
    });
    expect(simple).toBe('67446698' + '0000001c' + '0000000100000002');
    const none = written(20, (view) => {
      encodeChunk(view, 0, 0, 1, 2, 0);
    });
    expect(none).toBe('668e33ef' + '0001' + '0000' + '0000000100000002' + '00000000');
    const data = written(28, (view) => {
      encodeDataChunk(view, 0, 1, 2, BIG, 512);
    });
    expect(data).toBe('668e33ef' + '0001' + '0001' + '0000000100000002' + '00000208' + '00123456789abcde');
    expect(hex(encodeErrorChunk(1, 2, 5, 'bad'))).toBe(
      '668e33ef' + '0001' + '8001' + '0000000100000002' + '00000009' + '00000005' + '0003' + '626164',
    );
  });

  it('tells a simple reply from a chunk, and both from anything else', () => {
    const chunk = encodeErrorChunk(1, 2, 5, 'bad');
    expect(replyHeaderBytes(viewOf(chunk), 0)).toBe(20);
    expect(decodeReply(viewOf(chunk), 0)).toEqual({
      kind: 'chunk',
      cookieHigh: 1,
      cookieLow: 2,
      type: 0x8001,
      done: true,
      length: 9,
    });
    expect(decodeErrorChunk(chunk.subarray(20))).toEqual({ error: 5, message: 'bad' });
    expect(decodeErrorChunk(chunk.subarray(20, 28))).toEqual({ error: 5, message: 'ba' });
    expect(decodeErrorChunk(new Uint8Array(2))).toEqual({ error: 5, message: '' });
    expect(replyHeaderBytes(viewOf(new Uint8Array(4)), 0)).toBe(0);
  });
});

describe('errors', () => {
  it.each([
    ['EPERM', 1],
    ['EROFS', 1],
    ['EIO', 5],
    ['ENOMEM', 12],
    ['EINVAL', 22],
    ['ENOSPC', 28],
    ['EDQUOT', 28],
    ['EOVERFLOW', 75],
    ['EOPNOTSUPP', 95],
    ['ENXIO', 108],
    ['ENOTCONN', 5],
    ['ETIMEDOUT', 5],
  ])('%s travels as %d', (code, number) => {
    expect(errorNumber(code)).toBe(number);
  });

  it('come back as the same code, unknown ones as EIO', () => {
    for (const code of [
      'EPERM',
      'EIO',
      'ENOMEM',
      'EINVAL',
      'ENOSPC',
      'EOVERFLOW',
      'EOPNOTSUPP',
      'ESHUTDOWN',
    ]) {
      expect(errorCode(errorNumber(code))).toBe(code);
    }
    expect(errorCode(12345)).toBe('EIO');
  });
});
