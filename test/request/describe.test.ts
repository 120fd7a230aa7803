import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../core/ports/log.js';
import { describeRequest, logRequest } from '../../core/request/describe.js';

describe('requests in messages', () => {
  it('are named with their range in bytes', () => {
    expect(describeRequest({ command: 'write', offset: 4096, length: 131072 })).toBe('WRITE(4096, 131072)');
    expect(describeRequest({ command: 'delete', offset: 0, length: 512 })).toBe('DELETE(0, 512)');
  });

  it('are named alone when they concern the whole device', () => {
    expect(describeRequest({ command: 'flush', offset: 0, length: 0 })).toBe('FLUSH');
  });
});

describe('a request that comes in', () => {
  const request = { command: 'write', offset: 0, length: 512 };

  function told(wants?: (level: LogLevel) => boolean): string[] {
    const lines: string[] = [];
    const write = (level: LogLevel, text: string) => lines.push(`${level} ${text}`);
    logRequest(wants === undefined ? { write } : { write, wants }, request);
    return lines;
  }

  it('is told to a log that wants it, or does not say', () => {
    expect(told()).toEqual(['debug2 WRITE(0, 512).']);
    expect(told(() => true)).toEqual(['debug2 WRITE(0, 512).']);
  });

  it('is not put into words for one that does not', () => {
    expect(told((level) => level !== 'debug2')).toEqual([]);
  });
});
