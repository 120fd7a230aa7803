import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../cli/hastd/options.js';

const DEFAULTS = {
  configPath: '/etc/hast.conf',
  debugLevel: 0,
  foreground: false,
  pidfile: null,
  node: null,
  runDir: '/var/run',
  user: null,
  maxRequestBytes: 131_072,
  device: null,
  nbd: null,
};

const USAGE_LINE = 'hastd: [-dFh] [-c config] [-P pidfile]\n';

describe('hastd options', () => {
  it.each<[string, object]>([
    ['', {}],
    ['-F', { foreground: true }],
    ['-ddF', { debugLevel: 2, foreground: true }],
    ['-d -d -c x', { debugLevel: 2, configPath: 'x' }],
    ['-dcx -Py', { debugLevel: 1, configPath: 'x', pidfile: 'y' }],
    ['-c -d', { configPath: '-d' }],
    ['-d operand -F', { debugLevel: 1 }],
    ['-- -F', {}],
    ['-- -5', {}],
    ['--node a --run-dir=/tmp/r --user nobody', { node: 'a', runDir: '/tmp/r', user: 'nobody' }],
    ['--max-request 65536', { maxRequestBytes: 65_536 }],
    ['--nbd 127.0.0.1:10809', { nbd: { host: '127.0.0.1', port: 10_809 } }],
    ['--device ggate', { device: 'ggate' }],
    ['--device nbd', { device: 'nbd' }],
    ['--nbd [::1]:10809', { nbd: { host: '::1', port: 10_809 } }],
  ])('hastd %s', (line, expected) => {
    expect(parseOptions(line.split(' ').filter((word) => word !== ''))).toEqual({ ...DEFAULTS, ...expected });
  });

  it.each([
    ['-h', ''],
    ['-dh', ''],
    ['-x', 'hastd: illegal option -- x\n'],
    ['-dx', 'hastd: illegal option -- x\n'],
    ['-5', 'hastd: illegal option -- 5\n'],
    ['-c', 'hastd: option requires an argument -- c\n'],
    ['-dP', 'hastd: option requires an argument -- P\n'],
    ['--nod a', 'hastd: illegal option -- -\n'],
    ['--node', 'hastd: option requires an argument -- node\n'],
    ['--max-request 1000', 'hastd: --max-request 1000: expected a power of two, 4096 to 1048576\n'],
    ['--max-request 2097152', 'hastd: --max-request 2097152: expected a power of two, 4096 to 1048576\n'],
    ['--device ublk', 'hastd: --device ublk: expected ggate or nbd\n'],
    ['--nbd 10809', 'hastd: --nbd 10809: expected host:port\n'],
  ])('hastd %s is a usage error', (line, complaint) => {
    expect(parseOptions(line.split(' '))).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: complaint + USAGE_LINE,
    });
  });
});
