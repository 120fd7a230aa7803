import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { hastsim } from '../../cli/hastsim/main.js';

interface Ending {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...argv: readonly string[]): Promise<Ending> {
  let stdout = '';
  let stderr = '';
  const streams = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
  };
  const exit = await hastsim(['mutants', ...argv], streams, new EventEmitter());
  return { exit, stdout, stderr };
}

/** On a busy machine; making a script short takes thousands of runs. */
const PATIENCE_MS = 120_000;

test('a defect is found, and told in JSON', { timeout: PATIENCE_MS }, async () => {
  const { exit, stdout } = await run('--only', 'first-sector-skipped', '--seeds', '50', '--json');
  expect(exit).toBe(0);
  expect(stdout.split('\n')).toHaveLength(2);
  const { mutants } = JSON.parse(stdout) as { mutants: Record<string, unknown>[] };
  expect(mutants).toHaveLength(1);
  const [mutant = {}] = mutants;
  const { seed, seedsNeeded, shrunkLines, script } = mutant;
  expect(mutant).toMatchObject({ id: 'first-sector-skipped', killed: true, profile: 'default' });
  expect(seedsNeeded).toBe(seed);
  const lines = String(script)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines).toHaveLength(Number(shrunkLines));
  expect(Object.keys(mutant)).toEqual(expect.arrayContaining(['invariant', 'seconds']));
});

test('a defect that the histories do not show survives', { timeout: PATIENCE_MS }, async () => {
  const { exit, stdout } = await run(
    '--only',
    'w33-checksum-not-verified',
    '--profile',
    'calm',
    '--seeds',
    '1',
  );
  expect(exit).toBe(1);
  expect(stdout).toContain('SURVIVED w33-checksum-not-verified');
  expect(stdout).toContain('0 of 1 found');
});

test('what does not exist is a mistake of usage', async () => {
  expect(await run('--only', 'nonsense')).toMatchObject({ exit: 64, stdout: '' });
  expect(await run('--profile', 'nonsense')).toMatchObject({ exit: 64, stdout: '' });
});
