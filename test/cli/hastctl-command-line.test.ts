import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../cli/hastctl/command-line.js';

const DEFAULTS = { config: '/etc/hast.conf', debug: 0, runDir: '/var/run' };

describe('what was asked for', () => {
  test.each([
    ['status', 'status', {}, []],
    ['status all', 'status', {}, ['all']],
    ['status -d -d r0', 'status', { debug: 2 }, ['r0']],
    ['status -dd r0', 'status', { debug: 2 }, ['r0']],
    ['status -c a -c b', 'status', { config: 'b' }, []],
    ['status -cb', 'status', { config: 'b' }, []],
    ['status -dcb', 'status', { debug: 1, config: 'b' }, []],
    ['status -c -d', 'status', { config: '-d' }, []],
    // No permutation: after the first operand there are no options.
    ['list r0 -d', 'list', {}, ['r0', '-d']],
    ['list -- -d', 'list', {}, ['-d']],
    ['list - -d', 'list', {}, ['-', '-d']],
    ['dump -c /x a b', 'dump', { config: '/x' }, ['a', 'b']],
    ['role primary all', 'role', {}, ['primary', 'all']],
    ['role -f primary r0', 'role', { force: true }, ['primary', 'r0']],
    ['role nonsense', 'role', {}, ['nonsense']],
    [
      'create -e 4k -k0x10 -m 1G r0',
      'create',
      { extentsize: 4096n, keepdirty: 16n, mediasize: 1n << 30n },
      ['r0'],
    ],
    ['stop --node a', 'stop', { node: 'a' }, []],
    ['list --node=a --run-dir=/r --json', 'list', { node: 'a', runDir: '/r', json: true }, []],
    ['status --config x', 'status', { config: 'x' }, []],
    ['status --node=', 'status', { node: '' }, []],
  ])('%s', (text, command, options, operands) => {
    expect(parseCommandLine(text.split(' '))).toEqual({
      command,
      options: { ...DEFAULTS, ...options },
      operands,
    });
  });
});

describe('usage, to stderr, 64', () => {
  test.each([
    ['', null],
    ['reload', null],
    ['-c x status', null],
    ['--json', null],
    ['Status', null],
    ['status -h', null],
    ['status -dh', null],
    ['create', null],
    ['create -e 4k', null],
    ['role', null],
    ['role -d', null],
    ['stop r0', null],
    ['status -x', 'illegal option -- x'],
    ['status -dx', 'illegal option -- x'],
    ['status -5', 'illegal option -- 5'],
    ['status -e 4k', 'illegal option -- e'],
    ['status -f', 'illegal option -- f'],
    ['status --foo', 'illegal option -- -'],
    ['status --json=1', 'illegal option -- -'],
    ['dump --json', 'illegal option -- -'],
    ['status -c', 'option requires an argument -- c'],
    ['status -dc', 'option requires an argument -- c'],
    ['status --node', 'option requires an argument -- node'],
    // The first mistake counts.
    ['create -x -e bad', 'illegal option -- x'],
    ['help nope', 'there is no command nope'],
    ['create -h -e bad', null],
  ])('%j', (text, complaint) => {
    const line = parseCommandLine(text === '' ? [] : text.split(' '));
    expect(line).toMatchObject({ command: null, exitCode: 64, stdout: '' });
    if (line.command !== null) return;
    const [first, ...usage] = line.stderr.split('\n');
    expect(first).toBe(complaint === null ? USAGE[0] : `hastctl: ${complaint}`);
    expect([...(complaint === null ? [first] : []), ...usage]).toEqual(USAGE);
  });

  const USAGE = [
    'usage: hastctl create [-d] [-c config] [-e extentsize] [-k keepdirty]',
    '\t\t[-m mediasize] name ...',
    '       hastctl role [-d] [-c config] <init | primary | secondary> all | name ...',
    '       hastctl list [-d] [-c config] [all | name ...]',
    '       hastctl status [-d] [-c config] [all | name ...]',
    '       hastctl dump [-d] [-c config] [all | name ...]',
    '',
  ];
});

test.each([
  ['create -e 12X r0', 'Invalid extentsize'],
  ['create -k abc', 'Invalid keepdirty'],
  ['create -m 16E -x', 'Invalid mediasize'],
])('%s', (text, complaint) => {
  const stderr = `hastctl: ${complaint}\n`;
  expect(parseCommandLine(text.split(' '))).toEqual({ command: null, exitCode: 64, stdout: '', stderr });
});

test.each([
  ['help', 'Usage: hastctl <command>'],
  ['--help', 'Usage: hastctl <command>'],
  ['help create', 'Usage: hastctl create [options] <name...>'],
  ['role --help', 'Usage: hastctl role [options]'],
])('%s goes to stdout', (text, start) => {
  const line = parseCommandLine(text.split(' '));
  expect(line).toMatchObject({ command: null, exitCode: 0, stderr: '' });
  expect(line).toHaveProperty('stdout', expect.stringContaining(start));
});
