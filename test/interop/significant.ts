/**
 * The suite's own test: recorded values that decide, and how to falsify one. JSON files are falsified by leaf, other
 * files by line.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A recorded value. */
export interface Significant {
  /** Relative to the folder of the recordings. */
  readonly file: string;
  /**
   * Keys and indexes down to the leaf; in a `.jsonl` file the first is the line, in any other file that is not
   * JSON it is the only one.
   */
  readonly path: readonly (string | number)[];
}

/** Leaves of `file` whose dotted path (`vectors.3.hex`) matches. */
export function leavesOf(folder: string, file: string, pattern: RegExp): Significant[] {
  return leafPaths(parse(folder, file))
    .filter((path) => pattern.test(path.join('.')))
    .map((path) => ({ file, path }));
}

/** Changes the value in place on disk; `at`, 0 .. 1, chooses the character of a text. */
export function falsify(folder: string, { file, path }: Significant, at: number): void {
  const root = { value: parse(folder, file) };
  const steps = ['value', ...path];
  const last = steps.pop() ?? 'value';
  let parent: Record<string | number, unknown> = root;
  for (const step of steps) parent = parent[step] as Record<string | number, unknown>;
  parent[last] = falsified(parent[last], at);
  writeFileSync(join(folder, file), print(file, root.value));
}

function falsified(value: unknown, at: number): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return 'something';
  const position = Math.floor(at * value.length);
  const other = value[position] === '1' ? '2' : '1';
  return value.slice(0, position) + other + value.slice(position + 1);
}

function leafPaths(value: unknown): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, child]) => leafPaths(child).map((path) => [key, ...path]));
}

function parse(folder: string, file: string): unknown {
  const text = readFileSync(join(folder, file), 'latin1');
  if (file.endsWith('.json')) return JSON.parse(text);
  const lines = text.split('\n');
  return file.endsWith('.jsonl')
    ? lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown)
    : lines;
}

function print(file: string, value: unknown): Buffer {
  const text = file.endsWith('.json')
    ? JSON.stringify(value)
    : (value as unknown[]).map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return Buffer.from(text, 'latin1');
}
