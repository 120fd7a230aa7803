import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../core/base/buffer-pool.js';

const MIB = 1024 * 1024;

describe('a buffer pool', () => {
  it('gives a buffer of that length, and never one that is in use', () => {
    const pool = new BufferPool();
    const first = pool.take(4096);
    const second = pool.take(4096);
    expect(first.length).toBe(4096);
    expect(second.buffer).not.toBe(first.buffer);
    pool.give(first);
    expect(pool.take(512).buffer).not.toBe(first.buffer);
    expect(pool.take(4096)).toBe(first);
    expect(pool.take(4096)).not.toBe(first);
  });

  it('keeps no more than 8 MiB', () => {
    const pool = new BufferPool();
    const buffers = Array.from({ length: 12 }, () => pool.take(MIB));
    for (const buffer of buffers) pool.give(buffer);
    const again = Array.from({ length: 12 }, () => pool.take(MIB));
    expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(8);
  });

  it('gives up lengths of the past for those of today', () => {
    const pool = new BufferPool();
    const past = Array.from({ length: 8 }, () => pool.take(MIB));
    for (const buffer of past) pool.give(buffer);
    const today = pool.take(4096);
    pool.give(today);
    expect(pool.take(4096)).toBe(today);
    expect(past).not.toContain(pool.take(MIB));
  });
});
