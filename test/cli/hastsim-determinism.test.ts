import { expect, test } from 'vitest';
import { determinism } from '../../cli/hastsim/determinism.js';
import { DEADLY_SEED, FAKE_SIMULATOR, INFECTED_SEED, UNSTABLE_SEED } from './fake-simulator.js';
import { onTerminal } from './run-hastsim.js';
import type { Ending } from './run-hastsim.js';

function compare(from: number, seeds: number, json = false): Promise<Ending> {
  const options = { from, seeds, jobs: 2, profile: 'default', json };
  return onTerminal((terminal) => determinism(options, terminal, FAKE_SIMULATOR));
}

test('equal everywhere', async () => {
  const { exit, stdout } = await compare(20, 7);
  expect(stdout).toBe('7 seeds compared, 0 mismatches\n');
  expect(exit).toBe(0);
});

test('as JSON', async () => {
  const { stdout } = await compare(20, 7, true);
  expect(JSON.parse(stdout)).toEqual({ seeds: 7, mismatches: 0, different: [], interrupted: false });
});

test('a seed that depends on the engine: the first event that differs is named', async () => {
  const { exit, stdout } = await compare(UNSTABLE_SEED - 2, 4);
  expect(exit).toBe(1);
  expect(stdout).toContain(`seed ${String(UNSTABLE_SEED)} differs`);
  expect(stdout).toContain('default: 4.000 step false\n');
  expect(stdout).toContain('no-opt: 4.000 step true\n');
  expect(stdout).toMatch(/4 seeds compared, 1 mismatches\n$/);
});

test('a seed that depends on what was run before it is told as such', async () => {
  const { exit, stdout } = await compare(INFECTED_SEED - 3, 8);
  expect(exit).toBe(1);
  expect(stdout).toContain(`seed ${String(INFECTED_SEED)} differs`);
  expect(stdout).toContain('something is carried over from the seeds before it');
});

test('a process that fails ends it, with what it said', async () => {
  await expect(compare(DEADLY_SEED, 1)).rejects.toThrow(/The process with .* settings failed: [^]*boom/);
});
