import { describe, expect, it } from 'vitest';
import { describeRequest } from '../../core/request/describe.js';

describe('requests in messages', () => {
  it('are named with their range in bytes', () => {
    expect(describeRequest({ command: 'write', offset: 4096, length: 131072 })).toBe('WRITE(4096, 131072)');
    expect(describeRequest({ command: 'delete', offset: 0, length: 512 })).toBe('DELETE(0, 512)');
  });

  it('are named alone when they concern the whole device', () => {
    expect(describeRequest({ command: 'flush', offset: 0, length: 0 })).toBe('FLUSH');
  });
});
