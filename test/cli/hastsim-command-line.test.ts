import { expect, test } from 'vitest';
import { parseShard, seedRange, SEEDS } from '../../cli/hastsim/options.js';
import { commandFor, parseSubject } from '../../cli/hastsim/subject.js';
import { runHastsim } from './run-hastsim.js';

test.each([
  'fuzz',
  'run',
  'replay',
  'shrink',
  'determinism',
  'script',
  'profiles',
  'marks',
  'explain',
  'crashpoints',
  'explore',
  'mutants',
  'lesson',
  'bench',
])('help about %s', async (command) => {
  const help = await runHastsim('help', command);
  expect(help).toMatchObject({ exit: 0, stderr: '' });
  expect(help.stdout).toContain(`Usage: hastsim ${command}`);
  expect(await runHastsim(command, '--help')).toEqual(help);
  expect((await runHastsim('--help')).stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
});

test.each([
  [[], /Usage: hastsim/],
  [['guess'], /unknown command 'guess'/],
  [['run'], /missing required argument 'seed\|file'/],
  [['run', '1', '2'], /too many arguments/],
  [['run', '4294967296'], /A seed is a whole number from 0 to 4294967295/],
  [['fuzz', '--seeds', '0'], /a whole number from 1/],
  [['fuzz', '--seconds', 'long'], /a number of seconds above 0/],
  [['fuzz', '--shard', '3/2'], /A shard is i\/n/],
  [['fuzz', '--profile', 'kind'], /Allowed choices are default, /],
  [['fuzz', '--as', 'freebsd-99'], /Allowed choices are freebsd-12.1/],
  [['run', '1', '--wrong'], /unknown option '--wrong'/],
] as const)('%s: a mistake', async (argv, complaint) => {
  const { exit, stdout, stderr } = await runHastsim(...argv);
  expect({ exit, stdout }).toEqual({ exit: 64, stdout: '' });
  expect(stderr).toMatch(complaint);
});

test('a file that is not there', async () => {
  const { exit, stderr } = await runHastsim('script', '/nowhere/x.hast');
  expect(exit).toBe(66);
  expect(stderr).toMatch(/^hastsim: Unable to read \/nowhere\/x\.hast: ENOENT/);
});

test('profiles and marks, for people and programs', async () => {
  expect((await runHastsim('profiles')).stdout).toMatch(/^default +\S/);
  const { profiles } = JSON.parse((await runHastsim('profiles', '--json')).stdout) as { profiles: unknown[] };
  expect(profiles[0]).toMatchObject({ name: 'default' });
  const { marks } = JSON.parse((await runHastsim('marks', '--json')).stdout) as { marks: string[] };
  expect((await runHastsim('marks')).stdout).toBe(`${marks.join('\n')}\n`);
});

test('shards count from 0 or from 1', () => {
  expect(parseShard('1/4')).toEqual({ index: 1, count: 4 });
  expect(parseShard('4/4')).toEqual({ index: 4, count: 4 });
  expect(parseShard('0/4')).toEqual({ index: 4, count: 4 });
  for (const text of ['', '1', '1/0', '5/4', '-1/4', '1/x']) expect(() => parseShard(text)).toThrow();
});

test('the parts of a range are all of it, and nothing twice', () => {
  const parts = [1, 2, 3, 4, 5, 6, 7].map((index) => seedRange(100, 1000, { index, count: 7 }));
  let next = 100;
  for (const { first, count } of parts) {
    expect(first).toBe(next);
    next = first + count;
  }
  expect(next).toBe(1100);
});

test('without a count, all seeds there are', () => {
  expect(seedRange(5, null, { index: 1, count: 1 })).toEqual({ first: 5, count: SEEDS - 5 });
  const { first, count } = seedRange(0, null, { index: 2, count: 2 });
  expect([first, first + count]).toEqual([SEEDS / 2, SEEDS]);
});

test('digits are a seed, everything else a file', () => {
  expect(parseSubject('42')).toEqual({ kind: 'seed', seed: 42 });
  expect(parseSubject('./42')).toEqual({ kind: 'file', path: './42' });
});

test('commands to type again are quoted', () => {
  const command = commandFor('replay', { kind: 'file', path: "it's.hast" }, ['--as', 'freebsd-12.1']);
  expect(command).toMatch(/ replay 'it'\\''s\.hast' --as freebsd-12\.1$/);
});
