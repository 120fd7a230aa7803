import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fuzz } from '../../cli/hastsim/fuzz.js';
import type { FuzzOptions } from '../../cli/hastsim/fuzz.js';
import { DEADLY_SEED, FAKE_SIMULATOR, FICKLE_SEED } from './fake-simulator.js';
import { onTerminal } from './run-hastsim.js';
import type { Ending } from './run-hastsim.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'hastsim-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function runFuzz(options: Partial<FuzzOptions>, signals = new EventEmitter()): Promise<Ending> {
  const defaults = { from: 1, jobs: 2, shard: { index: 1, count: 1 }, profile: 'default', json: true };
  const all = { ...defaults, corpus: join(folder, 'corpus'), ...options };
  return onTerminal(async (terminal) => {
    await fuzz(all, terminal, FAKE_SIMULATOR);
  }, signals);
}

function json(stdout: string): Record<string, unknown> {
  expect(stdout.split('\n')).toHaveLength(2);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test('nothing fails: 0, and the numbers in one line', async () => {
  const { exit, stdout, stderr } = await runFuzz({ from: 20, seeds: 6 });
  expect(exit).toBe(0);
  expect(stderr).toBe('');
  expect(json(stdout)).toMatchObject({
    seeds: 6,
    failures: 0,
    failing: [],
    excused: 0,
    vacuous: 0,
    requestsPerScenario: 10,
    eventsPerScenario: 100,
    faultsPerScenario: 2,
    interrupted: false,
  });
  const { marks, scenariosPerSecond, eventsPerSecond } = json(stdout);
  expect(marks).toMatchObject({ even: 3, odd: 3 });
  expect(scenariosPerSecond).toBeGreaterThan(0);
  expect(eventsPerSecond).toBeGreaterThan(0);
});

test('excused and vacuous runs are counted', async () => {
  const { stdout } = await runFuzz({ from: 50, seeds: 3 });
  expect(json(stdout)).toMatchObject({ seeds: 3, excused: 1, vacuous: 1 });
});

test('a failing seed is made short, told with the command that replays it, and kept', async () => {
  const { exit, stdout } = await runFuzz({ from: 20, seeds: 10, json: false });
  expect(exit).toBe(1);
  expect(stdout).toContain('seed 27 fails\n  I8 at 1.500 s, step ');
  expect(stdout).toMatch(/ {2}commit: \S/);
  expect(stdout).toMatch(/ {2}script:\n( {4}setup.*\n)? {4}write 7\n( {4}# .*\n)+ {2}again: .* replay 27\n/);
  expect(stdout).toMatch(/\n1 failure\n$/);
  const corpus = join(folder, 'corpus');
  expect(readdirSync(corpus)).toEqual(['I8-default-27.hast']);
  const kept = readFileSync(join(corpus, 'I8-default-27.hast'), 'utf8');
  expect(kept).toMatch(/^# found by seed 27, profile default, commit /);
  expect(kept).toMatch(/\nwrite 7\n# \^\^\^ I8 at 1500ms: no bit\n# {5}for block 7\n$/);
});

test('what failed once is run first the next time', async () => {
  await runFuzz({ from: 27, seeds: 1 });
  const { exit, stdout } = await runFuzz({ from: 20, seeds: 5 });
  expect(exit).toBe(1);
  const path = join(folder, 'corpus', 'I8-default-27.hast');
  expect(json(stdout)).toMatchObject({
    seeds: 5,
    corpus: 1,
    failures: 1,
    failing: [{ seed: null, file: path }],
  });
});

test('without a corpus nothing is kept', async () => {
  const { exit } = await runFuzz({ from: 27, seeds: 1, corpus: false });
  expect(exit).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('a corpus file that is no script is refused, with its line', async () => {
  writeFileSync(join(folder, 'bad.hast'), 'write 1\nwrong\n');
  await expect(runFuzz({ corpus: folder })).rejects.toThrow(/bad\.hast:2: /);
});

test('a seed that kills its thread has failed; the others are run', async () => {
  const { exit, stdout, stderr } = await runFuzz({ from: DEADLY_SEED - 5, seeds: 9 });
  expect(exit).toBe(1);
  expect(json(stdout)).toMatchObject({
    seeds: 8,
    failures: 1,
    failing: [{ seed: DEADLY_SEED, invariant: 'crash', script: null }],
  });
  expect(stderr).toContain('boom');
});

test('a seed that fails once and then does not is told as such', async () => {
  const { stderr } = await runFuzz({ from: FICKLE_SEED, seeds: 1 });
  expect(stderr).toContain('run again at once, it did not fail');
});

test('failing seeds are listed in order; only some are made short', async () => {
  const { stdout } = await runFuzz({ from: 20, seeds: 200, corpus: false });
  const { failing, failures } = json(stdout) as {
    failures: number;
    failing: readonly { seed: number; script: string | null }[];
  };
  expect(failures).toBe(20);
  expect(failing.map(({ seed }) => seed)).toEqual([...Array(20).keys()].map((i) => 27 + 10 * i));
  expect(failing.filter(({ script }) => script !== null)).toHaveLength(3);
});

test('shards share the seeds', async () => {
  const shard = async (index: number): Promise<Record<string, unknown>> =>
    json((await runFuzz({ from: 20, seeds: 30, shard: { index, count: 3 }, corpus: false })).stdout);
  expect(await shard(1)).toMatchObject({ seeds: 10, failing: [{ seed: 27 }] });
  expect(await shard(2)).toMatchObject({ seeds: 10, failing: [{ seed: 37 }] });
  expect(await shard(3)).toMatchObject({ seeds: 10, failing: [{ seed: 47 }] });
});

test('after so many seconds it ends', async () => {
  const { stdout } = await runFuzz({ from: 1000, seconds: 0.2, corpus: false });
  expect(json(stdout)).toMatchObject({ interrupted: false });
});

test('interrupted, it tells what it saw so far', async () => {
  const signals = new EventEmitter();
  const running = runFuzz({ from: 2008, seconds: 3600, corpus: false }, signals);
  setTimeout(() => signals.emit('SIGINT'), 100);
  const { exit, stdout } = await running;
  expect([1, 130]).toContain(exit);
  expect(json(stdout)).toMatchObject({ interrupted: true });
});
