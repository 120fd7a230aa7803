/** The commands on the real simulator, with short scripts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runHastsim } from './run-hastsim.js';

let folder: string;
let good: string;
let bad: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hastsim-'));
  good = join(folder, 'good.hast');
  bad = join(folder, 'bad.hast');
  writeFileSync(good, 'setup extents=2\npair\nwrite 7 = x\nuntil idle\nexpect block 7 = x\n');
  writeFileSync(
    bad,
    'setup extents=2\npair\nwrite 3\nwrite 7 = x\nuntil idle\nread 5\nexpect block 7 = zero\n',
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const parsed = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

test('run: the same seed, the same history', async () => {
  const first = await runHastsim('run', '42', '--json');
  expect(await runHastsim('run', '42', '--json')).toEqual(first);
  const { seed, hash, events, violations } = parsed(first.stdout);
  expect(seed).toBe(42);
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(events).toBeGreaterThan(100);
  expect(violations).toBeInstanceOf(Array);
});

test('run: a script whose expectations hold', async () => {
  const { exit, stdout } = await runHastsim('run', good);
  expect(stdout).toMatch(/good\.hast: \d+ events in .*\nhash: [0-9a-f]{16}\nmarks: .*\n0 violations\n$/);
  expect(exit).toBe(0);
});

test('run: one whose expectations do not hold', async () => {
  const { exit, stdout } = await runHastsim('run', bad);
  expect(stdout).toMatch(/\nexpect at \d+\.\d{3} s, step \d+.*\n1 violation\n$/);
  expect(exit).toBe(1);
});

test('replay: what happens, then the same as run', async () => {
  const run = await runHastsim('run', good);
  const { stdout } = await runHastsim('replay', good);
  expect(stdout.endsWith(run.stdout)).toBe(true);
  expect(stdout).toMatch(/^\d+\.\d{6} /);
  const { trace, hash } = parsed((await runHastsim('replay', good, '--json')).stdout);
  expect(trace).toEqual(stdout.slice(0, -run.stdout.length).trimEnd().split('\n'));
  expect(run.stdout).toContain(String(hash));
});

test('script: what is run, without shorthands', async () => {
  const { stdout } = await runHastsim('script', good);
  expect(stdout).toContain('\nwrite 7 = x\n');
  expect(stdout).not.toContain('pair');
  const again = join(folder, 'again.hast');
  writeFileSync(again, stdout);
  expect((await runHastsim('script', again)).stdout).toBe(stdout);
});

test('shrink: what the violation does not need is gone', async () => {
  const output = join(folder, 'short.hast');
  const { exit, stderr } = await runHastsim('shrink', bad, '-o', output);
  expect(exit).toBe(0);
  expect(stderr).toMatch(/\d+ steps before, \d now; \d+ runs in /);
  const short = readFileSync(output, 'utf8');
  expect(short).toMatch(/write \d = x\n/);
  expect(short).not.toMatch(/write \d\n|read/);
  expect((await runHastsim('run', output)).exit).toBe(1);
});

test('shrink: a script that breaks nothing', async () => {
  const { exit, stderr } = await runHastsim('shrink', good);
  expect(exit).toBe(65);
  expect(stderr).toMatch(/good\.hast breaks no invariant\.\n$/);
});

test('explain: text, diagram, JSON', async () => {
  const { stdout } = await runHastsim('explain', bad);
  expect(stdout).toContain('expect');
  expect((await runHastsim('explain', bad, '--format', 'mermaid')).stdout).toMatch(/sequenceDiagram/);
  expect(parsed((await runHastsim('explain', bad, '--json')).stdout)).toHaveProperty('happenings');
});

test('crashpoints: some of a script, and one of them in words', async () => {
  const script = join(folder, 'crash.hast');
  writeFileSync(script, 'setup extents=2\npair\nwrite 7\n+5ms flush\nwait 20ms\n');
  const { stdout } = await runHastsim('crashpoints', script, '--crash', 'worker of b', '--json');
  const { scripts, points, runs, failures } = parsed(stdout);
  expect({ scripts, failures }).toEqual({ scripts: 1, failures: 0 });
  expect(points).toBeGreaterThan(1);
  expect(runs).toBe(points);
  const none = await runHastsim('crashpoints', script, '--at', '1', '--crash', 'worker of b');
  expect(none).toMatchObject({ exit: 65, stdout: '' });
  expect(none.stderr).toContain('There is no such crash point');
});

test('--as: nodes of another implementation', async () => {
  const { exit, stdout } = await runHastsim('run', good, '--as', 'freebsd-12.1', '--json');
  expect(exit).toBe(0);
  expect(parsed(stdout)).toMatchObject({ as: 'freebsd-12.1', violations: [] });
});

test('explore: all small worlds without a fault', async () => {
  const { exit, stdout } = await runHastsim('explore', '--faults', '0', '--writes', '2', '--json');
  expect(exit).toBe(0);
  const { levels, runs, states, complete, findings } = parsed(stdout);
  expect({ complete, findings }).toEqual({ complete: true, findings: [] });
  expect(levels).toHaveLength(6);
  expect(runs).toBeGreaterThan(12);
  expect(states).toBeGreaterThan(15);
});

test('explore: no runs left', async () => {
  const { stdout } = await runHastsim('explore', '--runs', '60', '--faults', '1', '--writes', '1');
  expect(stdout).toMatch(/\nfullsync +1 +1 +\d+ +\d+ +[1-9]\d*\n/);
  expect(stdout).toMatch(/not everything was tried\n0 failures\n$/);
});

test('explore --as: the reference loses to a single fault', async () => {
  const argv = [
    'explore',
    '--as',
    'freebsd-12.1',
    '--faults',
    '1',
    '--writes',
    '1',
    '--runs',
    '600',
    '--json',
  ];
  const { exit, stdout } = await runHastsim(...argv);
  expect(exit).toBe(1);
  const { findings } = parsed(stdout) as { findings: readonly Record<string, unknown>[] };
  expect(findings.length).toBeGreaterThan(0);
  expect(findings[0]).toHaveProperty('strikes');
});
