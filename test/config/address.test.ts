import { describe, expect, test } from 'vitest';
import { ANY_PORT, formatAddress, parseAddress } from '../../core/config/address.js';
import { isPortError } from '../../core/ports/error.js';

describe('what an address means', () => {
  // core/spec/config.md section 3.
  test.each([
    ['0.0.0.0', 'tcp', 0, '0.0.0.0', 8457],
    ['tcp://0.0.0.0:8457', 'tcp', 0, '0.0.0.0', 8457],
    ['TCP4://0.0.0.0', 'tcp4', 4, '0.0.0.0', 8457],
    ['2001:db8::1', 'tcp', 0, '2001:db8::1', 8457],
    ['[2001:db8::1]:9000', 'tcp', 0, '2001:db8::1', 9000],
    ['tcp6://::', 'tcp6', 6, '::', 8457],
    ['tcp6://[::]:00080', 'tcp6', 6, '::', 80],
    ['localhost', 'tcp', 0, 'localhost', 8457],
    ['localhost:1', 'tcp', 0, 'localhost', 1],
    ['[hasta]:65535', 'tcp', 0, 'hasta', 65_535],
  ])('%s', (text, _scheme, family, host, port) => {
    expect(parseAddress(text)).toEqual({ kind: 'tcp', family, host, port });
  });

  test.each(['uds:///a/b', 'unix:///a/b', 'UDS:///a/b', '/a/b'])('%s', (text) => {
    expect(parseAddress(text)).toEqual({ kind: 'unix', path: '/a/b' });
  });

  test('a Unix path may be relative behind its scheme', () => {
    expect(parseAddress('uds://run/hastctl')).toEqual({ kind: 'unix', path: 'run/hastctl' });
  });

  test('a source has no port unless it names one', () => {
    expect(parseAddress('10.0.0.1', ANY_PORT)).toMatchObject({ port: 0 });
    expect(parseAddress('10.0.0.1:99', ANY_PORT)).toMatchObject({ port: 99 });
  });
});

describe('what is no address', () => {
  test.each([
    ['[2001:db8::1]', "'1]' is not a port between 1 and 65535 (brackets need a port behind them)"],
    ['tcp://2001:db8::1/64', "'2001:db8::1/64' is not a host"],
    ['foo://bar', "'//bar' is not a port between 1 and 65535"],
    ['localhost:', "'' is not a port between 1 and 65535"],
    ['h:0', "'0' is not a port between 1 and 65535"],
    ['h:65536', "'65536' is not a port between 1 and 65535"],
    ['h:8x', "'8x' is not a port between 1 and 65535"],
    ['tcp4://', 'the host is missing'],
    [':80', 'the host is missing'],
    ['', 'the host is missing'],
    ['uds://', 'the path is missing'],
    ['tcp4://::1', "'::1' is not an IPv4 address"],
    ['tcp6://10.0.0.1', "'10.0.0.1' is not an IPv6 address"],
    ['[::1:80', "'[::1' is not a host"],
  ])('%j', (text, why) => {
    expect(parseAddress(text)).toEqual({ code: 'EINVAL', message: `Address ${text} is not valid: ${why}` });
  });

  test('too long', () => {
    expect(parseAddress(`/${'x'.repeat(102)}`)).toMatchObject({ kind: 'unix' });
    expect(parseAddress(`/${'x'.repeat(103)}`)).toMatchObject({ code: 'ENAMETOOLONG' });
    expect(parseAddress('x'.repeat(255))).toMatchObject({ kind: 'tcp' });
    expect(parseAddress('x'.repeat(256))).toMatchObject({ code: 'ENAMETOOLONG' });
  });
});

test.each([
  ['10.0.0.1', 'tcp://10.0.0.1:8457'],
  ['TCP4://h:1', 'tcp4://h:1'],
  ['tcp6://::1', 'tcp6://[::1]:8457'],
  ['unix:///a', 'uds:///a'],
])('%s is spelled %s', (text, spelled) => {
  const address = parseAddress(text);
  expect(isPortError(address) ? address : formatAddress(address)).toBe(spelled);
});
