/** Values of hastsim's options and arguments: text in, value out, or what is wrong with it. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';

/** Seeds are 0 .. SEEDS-1. */
export const SEEDS = 0x1_0000_0000;

/** A part of the seeds: 1 of 1 is all of them. */
export interface Shard {
  /** 1 .. count. */
  readonly index: number;
  readonly count: number;
}

/** A number of decimal digits alone, least .. most. */
function parseInteger(text: string, what: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`${what} is a whole number from ${String(least)} to ${String(most)}.`);
}

export function parseSeed(text: string): number {
  return parseInteger(text, 'A seed', 0, SEEDS - 1);
}

export function parseCount(text: string): number {
  return parseInteger(text, 'It', 1, 2 ** 31 - 1);
}

export function parseBlock(text: string): number {
  return parseInteger(text, 'A block', 0, 2 ** 31 - 1);
}

/** Seconds, with fractions. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0 && seconds <= 1e6) return seconds;
  throw new InvalidArgumentError('It is a number of seconds above 0.');
}

/** `1/4` ... `4/4`, or `0/4` ... `3/4`: those who count from 0 find the last one at 0. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (index === undefined || count === undefined || Number(count) < 1 || Number(index) > Number(count)) {
    throw new InvalidArgumentError('A shard is i/n: part i of n parts.');
  }
  return { index: Number(index) === 0 ? Number(count) : Number(index), count: Number(count) };
}

export function jobsOption(what = 'threads'): Option {
  return new Option('-j, --jobs <n>', what)
    .argParser(parseCount)
    .default(availableParallelism(), 'one per core');
}

export function jsonOption(): Option {
  return new Option('--json', 'print one JSON object, for other programs').default(false);
}

/** Seeds first .. first + count - 1 that are the shard's, of `count` seeds from `from`, or of all there are (null). */
export function seedRange(
  from: number,
  count: number | null,
  { index, count: shards }: Shard,
): { readonly first: number; readonly count: number } {
  const all = count ?? SEEDS - from;
  const begin = Math.floor((all * (index - 1)) / shards);
  const end = Math.floor((all * index) / shards);
  return { first: from + begin, count: end - begin };
}
