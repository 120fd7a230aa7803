import { describe, expect, it } from 'vitest';
import { codeOfErrno, errnoOf } from '../../core/wire/errno.js';

describe('errno numbers', () => {
  it('are those of FreeBSD, both ways', () => {
    const some: [string, number][] = [
      ['EPERM', 1],
      ['EIO', 5],
      ['EINVAL', 22],
      ['ENOTTY', 25],
      ['ENOSPC', 28],
      ['EOPNOTSUPP', 45],
      ['ENOTCONN', 57],
      ['ETIMEDOUT', 60],
    ];
    for (const [code, errno] of some) {
      expect(errnoOf(code)).toBe(errno);
      expect(codeOfErrno(errno)).toBe(code);
    }
  });

  it('stand in for what they do not cover with EIO', () => {
    expect(errnoOf('EDQUOT')).toBe(5);
    expect(codeOfErrno(69)).toBe('EIO');
    expect(codeOfErrno(-1)).toBe('EIO');
  });
});
