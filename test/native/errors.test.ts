import { connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorText, portErrorOf, strerror } from '../../native/errors.js';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
}

describe('errors of the system', () => {
  it.each([
    ['ENOENT', 'No such file or directory'],
    ['ECONNREFUSED', 'Connection refused'],
    ['ENOTCONN', 'Socket is not connected'],
    ['EADDRINUSE', 'Address already in use'],
    ['EIO', 'Input/output error'],
    ['ENAMETOOLONG', 'File name too long'],
    ['EWHATEVER', 'EWHATEVER'],
  ])('%s reads "%s"', (code, text) => {
    expect(strerror(code)).toBe(text);
  });

  it('takes what a synchronous call throws', () => {
    const error = thrownBy(() => readFileSync('/nonexistent/file'));
    expect(portErrorOf(error)).toEqual({ code: 'ENOENT', message: 'No such file or directory' });
  });

  it('takes what a socket emits', async () => {
    const error = await new Promise((resolve) => connect('/nonexistent/socket').once('error', resolve));
    expect(portErrorOf(error)).toEqual({ code: 'ENOENT', message: 'No such file or directory' });
  });

  it('keeps the words of anything else', () => {
    expect(errorText(new Error('odd'))).toBe('odd');
    expect(errorText('odd')).toBe('odd');
  });
});
