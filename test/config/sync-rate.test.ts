import { describe, expect, it } from 'vitest';
import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import { formatSyncRate, parseSyncRate } from '../../core/config/sync-rate.js';

const MIB = 2 ** 20;
describe('syncrate', () => {
  it('is adaptive, a limit, or both ends', () => {
    expect(parseSyncRate('adaptive')).toEqual(DEFAULT_SYNCRATE);
    expect(parseSyncRate('100M')).toEqual({ leastPerS: MIB, mostPerS: 100 * MIB });
    expect(parseSyncRate('65536')).toEqual({ leastPerS: 65_536, mostPerS: 65_536 });
    expect(parseSyncRate('64k-1g')).toEqual({ leastPerS: 65_536, mostPerS: 2 ** 30 });
    expect(parseSyncRate('20M-20M')).toEqual({ leastPerS: 20 * MIB, mostPerS: 20 * MIB });
  });

  it('is nothing else, and never so little that nothing moves', () => {
    const wrong = [
      '0',
      '1',
      '65535',
      '20M-10M',
      '1K-10M',
      '-10M',
      '10M-',
      '10MB',
      '1.5M',
      'fast',
      '',
      '99999999999T',
    ];
    expect(wrong.filter((text) => parseSyncRate(text) !== null)).toEqual([]);
  });

  it('is read as it is written', () => {
    for (const text of ['adaptive', '65536-1048576']) {
      const rate = parseSyncRate(text);
      expect(rate === null ? null : formatSyncRate(rate)).toBe(text);
    }
  });
});
