import { describe, expect, it } from 'vitest';
import { Activemap } from '../../core/activemap/activemap.js';

function mapOf(keepdirty: number): Activemap {
  return new Activemap({ datasize: 64 * 4096, extentsize: 4096, keepdirty, mapBytes: 512 });
}

function extents(first: number, last = first): { first: number; last: number } {
  return { first, last };
}

describe('activemap', () => {
  it('has the bit layout of the specification: extents 0, 9 and 63', () => {
    const map = mapOf(64);
    for (const extent of [0, 9, 63]) map.writeStarted(extents(extent));
    expect(map.image.bytes.subarray(0, 9)).toEqual(Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0x80, 0));
  });

  it('W12: a merge leaves the count of writes in flight alone', () => {
    const map = mapOf(2);
    map.writeStarted(extents(0));
    map.writeStarted(extents(0));
    expect(map.merge(Uint8Array.of(1))).toBe(true);
    map.synced(0);
    map.writeFinished(extents(0));
    expect(map.image.has(0)).toBe(true);
    map.writeFinished(extents(0));
    expect(map.dirtyBytes).toBe(0);
  });

  it('W13: keepdirty 1 keeps the last extent, and the one before goes', () => {
    const map = mapOf(1);
    for (const extent of [0, 1, 2]) {
      map.writeStarted(extents(extent));
      map.writeFinished(extents(extent));
    }
    map.flushed(map.flushStarted());
    expect([0, 1, 2].map((extent) => map.image.has(extent))).toEqual([false, false, true]);
  });

  it('W15: an evicted extent keeps its bit until a flush of both nodes that followed its write', () => {
    const map = mapOf(1);
    map.writeStarted(extents(0));
    const early = map.flushStarted();
    map.writeFinished(extents(0));
    map.writeStarted(extents(1));
    map.flushed(early);
    expect(map.image.has(0)).toBe(true);
    expect(map.flushOwed).toBe(1);
    map.flushed(map.flushStarted());
    expect(map.image.has(0)).toBe(false);
  });

  it('W15: what the peer had not flushed needs sync when the session ends', () => {
    const map = mapOf(2);
    map.writeStarted(extents(0));
    map.writeFinished(extents(0));
    map.flushed(map.flushStarted());
    map.writeStarted(extents(1));
    map.writeFinished(extents(1));
    map.peerLost();
    expect([map.needsSync(0), map.needsSync(1)]).toEqual([false, true]);
  });

  it('keeps nothing once no write will follow: what is left is what a flush of both nodes has not covered', () => {
    const map = mapOf(64);
    for (const extent of [0, 1]) {
      map.writeStarted(extents(extent));
      map.writeFinished(extents(extent));
      if (extent === 0) map.flushed(map.flushStarted());
    }
    map.keepNothing();
    expect([0, 1].map((extent) => map.image.has(extent))).toEqual([false, true]);
  });

  it('ignores bits beyond the last extent of a longer map', () => {
    const map = new Activemap({ datasize: 3 * 4096, extentsize: 4096, keepdirty: 2, mapBytes: 512 });
    expect(map.merge(new Uint8Array(1024).fill(0xff))).toBe(true);
    expect(map.syncCount).toBe(3);
    expect(map.image.bytes[0]).toBe(0b111);
  });

  it('asserts that no write ends twice', () => {
    const map = mapOf(2);
    map.writeStarted(extents(0));
    map.writeFinished(extents(0));
    expect(() => {
      map.writeFinished(extents(0));
    }).toThrow('a write finished that never started');
  });
});
