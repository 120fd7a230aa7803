import { describe, expect, it } from 'vitest';
import { MessageReader, type Following } from '../../core/wire/reader.js';

/** A reader whose sink notes what it hears. */
function reading(following: () => Following): { reader: MessageReader; heard: string[] } {
  const heard: string[] = [];
  const reader = new MessageReader(
    { maxVersion: 2, maxListBytes: 1000 },
    {
      listReceived: (version, list) => {
        heard.push(`v${String(version)} ${list.join(',')}`);
        return following();
      },
      payloadReceived: () => {
        heard.push('payload');
      },
      violated: (reason) => {
        heard.push(reason);
      },
    },
  );
  return { reader, heard };
}

function feed(reader: MessageReader, ...bytes: number[]): void {
  reader.target().set(bytes);
  reader.filled(bytes.length);
}

describe('message reader', () => {
  it('a payload of no bytes is complete at once, skipped or not', () => {
    for (const nothing of [new Uint8Array(0), { skip: 0 }]) {
      const { reader, heard } = reading(() => nothing);
      feed(reader, 1, 2, 0, 0, 0, 7, 8);
      expect(heard).toEqual(['v1 7,8', 'payload']);
    }
  });

  it('says what is wrong', () => {
    const version = reading(() => null);
    feed(version.reader, 3, 0, 0, 0, 0);
    const length = reading(() => null);
    feed(length.reader, 1, 0xe9, 3, 0, 0);
    expect([version.heard, length.heard]).toEqual([
      ['protocol version 3 is not supported'],
      ['message of 1001 bytes exceeds 1000'],
    ]);
  });

  it('holds itself from inside a delivery', () => {
    const { reader, heard } = reading(() => {
      reader.hold();
      return null;
    });
    feed(reader, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0);
    expect(heard).toHaveLength(1);
    reader.release();
    expect(heard).toHaveLength(2);
  });

  it('takes more at once when it got all it could take', () => {
    const { reader } = reading(() => null);
    const lengths: number[] = [];
    let sent = 0;
    for (let i = 0; i < 9; i++) {
      const target = reader.target();
      lengths.push(target.length);
      // Messages of five bytes, the last one cut off.
      for (let at = 0; at < target.length; at++) target[at] = sent++ % 5 === 0 ? 1 : 0;
      reader.filled(target.length);
    }
    expect(lengths[0]).toBeLessThan(2048);
    expect(lengths.at(-1)).toBeGreaterThan(65_000);
    expect(lengths.at(-1)).toBeLessThanOrEqual(65_536);
  });

  it('takes little more than a message after a long payload, so that the next one is not copied', () => {
    const buffer = new Uint8Array(20_000);
    const { reader } = reading(() => buffer);
    feed(reader, 1, 0, 0, 0, 0);
    reader.filled(reader.target().length);
    expect(reader.target().length).toBeLessThanOrEqual(512);
  });

  it('a payload is placed into the very buffer that was given for it', () => {
    const buffer = new Uint8Array(3);
    const { reader } = reading(() => buffer);
    feed(reader, 1, 0, 0, 0, 0);
    const target = reader.target();
    expect([target.buffer, target.length]).toEqual([buffer.buffer, 3]);
  });

  it('asserts that nobody hands over in the middle of a payload, or fills more than there is', () => {
    const { reader } = reading(() => new Uint8Array(3));
    feed(reader, 1, 0, 0, 0, 0);
    expect(() => reader.takeUnread()).toThrow('handed over in the middle of a payload');
    expect(() => {
      reader.filled(4);
    }).toThrow('more bytes than the target holds');
  });
});
