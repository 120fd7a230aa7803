/**
 * A line of a script, word by word. The first thing that is wrong is remembered, everything asked for after it gets some
 * answer that nobody will use: so the grammar reads as if all went well, and an error is told once.
 */
import { otherNode, type NodeName } from './script.js';
import { parseDuration } from './quantities.js';

const WORD = /"(?:[^"\\]|\\.)*"|[^\s"]+|"/g;

/** The words of a line without its comment; a text in quotes is one word. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(WORD)) {
    if (word.startsWith('#')) break;
    words.push(word);
  }
  return words;
}

export class Words {
  readonly #words: readonly string[];
  readonly #blocks: number;
  #position = 0;
  #error: string | null = null;

  /** `blocks`: how many the device has. */
  constructor(words: readonly string[], blocks: number) {
    this.#words = words;
    this.#blocks = blocks;
  }

  /** What is wrong with the line, and what to write instead. */
  get error(): string | null {
    return this.#error;
  }

  /** Tells what is wrong, unless something was before. */
  fail(message: string): void {
    this.#error ??= message;
  }

  get atEnd(): boolean {
    return this.#position >= this.#words.length;
  }

  peek(): string {
    return this.#words[this.#position] ?? '';
  }

  /** Takes the next word; `what` names it in the complaint about its absence. */
  take(what: string): string {
    if (this.atEnd) this.fail(`${this.#before()}: expected ${what}`);
    return this.#words[this.#position++] ?? '';
  }

  /** Takes the next word if it is this one. */
  accept(word: string): boolean {
    if (this.peek() !== word) return false;
    this.#position++;
    return true;
  }

  expect(word: string): void {
    if (this.accept(word)) return;
    this.fail(this.atEnd ? `${this.#before()}: expected "${word}"` : this.#instead(`"${word}"`));
  }

  /** One of `choices`. */
  choice<T extends string>(what: string, choices: readonly [T, ...T[]]): T {
    const found = choices.find((choice) => choice === this.peek());
    if (found === undefined) this.fail(this.#instead(`${what}: ${choices.join(', ')}`));
    this.#position++;
    return found ?? choices[0];
  }

  /** `name=value`, value being one of `choices`. */
  assignment<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const found = choices.find((choice) => `${name}=${choice}` === this.peek());
    if (found === undefined) this.fail(this.#instead(`${name}= and one of: ${choices.join(', ')}`));
    this.#position++;
    return found ?? choices[0];
  }

  node(): NodeName {
    return this.choice('a node', ['a', 'b']);
  }

  /** A node, if the next word is one. */
  maybeNode(): NodeName | null {
    const word = this.peek();
    return word === 'a' || word === 'b' ? this.node() : null;
  }

  /** `a->b`: the node that sends. */
  way(): NodeName {
    const word = this.take('a->b or b->a');
    const from = word.startsWith('b') ? 'b' : 'a';
    if (word !== `${from}->${otherNode(from)}`) this.fail(`"${word}": expected a->b or b->a`);
    return from;
  }

  /** `a->b`, or null when the next word is no way: both. */
  maybeWay(): NodeName | null {
    return this.peek().includes('->') ? this.way() : null;
  }

  integer(what: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const word = this.take(what);
    const value = Number(word);
    if (/^\d+$/.test(word) && value >= min && value <= max) return value;
    const range =
      max === Number.MAX_SAFE_INTEGER ? `at least ${String(min)}` : `${String(min)} .. ${String(max)}`;
    this.fail(`"${word}": expected ${what}, a whole number, ${range}`);
    return min;
  }

  block(): number {
    return this.integer('a block', 0, this.#blocks - 1);
  }

  /** `7`, or `7+8`: eight blocks from the seventh on. */
  blocks(): { block: number; count: number } {
    const word = this.take('a block, or a range like 7+8');
    const [, block = '', count = '1'] = /^(\d+)(?:\+(\d+))?$/.exec(word) ?? [];
    const range = { block: Number(block), count: Number(count) };
    if (block === '' || range.count === 0) {
      this.fail(`"${word}": expected a block, or a range like 7+8 (eight blocks from 7 on)`);
    } else if (range.block + range.count > this.#blocks) {
      const last = String(this.#blocks - 1);
      this.fail(`"${word}" is beyond the device, whose last block is ${last} (see extents in setup)`);
    }
    return range;
  }

  /** `a(1,0)`: the local and the remote counter. */
  counts(): { node: NodeName; local: number; remote: number } {
    const word = this.take('counters like a(1,0)');
    const [, node = '', local = '', remote = ''] = /^([ab])\((\d+),(\d+)\)$/.exec(word) ?? [];
    if (node === '') this.fail(`"${word}": expected counters like a(1,0)`);
    return { node: node === 'b' ? 'b' : 'a', local: Number(local), remote: Number(remote) };
  }

  duration(): number {
    return this.#durationIn(this.take('a duration like 150ms'));
  }

  /** `+150ms`. */
  delay(): number {
    return this.#durationIn(this.take('a delay like +150ms').slice(1));
  }

  /** `100kB/s`: bytes per millisecond. */
  bandwidth(): number {
    const word = this.take('a bandwidth like 100kB/s');
    const [, number = ''] = /^(\d+(?:\.\d+)?)kB\/s$/.exec(word) ?? [];
    if (!(Number(number) > 0)) this.fail(`"${word}": expected a bandwidth like 100kB/s`);
    return Number(number);
  }

  /** `5ms..50ms`, or `5ms`. */
  durations(): { minMs: number; maxMs: number } {
    const word = this.take('a duration or a range like 5ms..50ms');
    const [min = '', max = min] = word.split('..');
    const range = { minMs: this.#durationIn(min), maxMs: this.#durationIn(max) };
    if (range.minMs > range.maxMs) this.fail(`"${word}": the shorter duration comes first`);
    return range;
  }

  label(): string {
    const word = this.take('a label');
    if (!/^[A-Za-z0-9_.-]+$/.test(word))
      this.fail(`"${word}": a label is made of letters, digits, - _ and .`);
    return word;
  }

  quoted(): string {
    const word = this.take('a text in double quotes');
    const text = /^"(.*)"$/s.exec(word)?.[1];
    if (text === undefined) this.fail(`${word}: expected a text in double quotes`);
    return (text ?? '').replaceAll(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }

  end(): void {
    if (!this.atEnd) this.fail(`"${this.peek()}" is too much: the line could end before it`);
  }

  #durationIn(word: string): number {
    const ms = parseDuration(word);
    if (ms === null) this.fail(`"${word}": expected a duration: a number and us, ms, s, min or h`);
    return ms ?? 0;
  }

  #before(): string {
    const last = this.#words[this.#position - 1];
    return last === undefined ? 'the line is empty' : `after "${last}"`;
  }

  #instead(wanted: string): string {
    return this.atEnd ? `${this.#before()}: expected ${wanted}` : `"${this.peek()}": expected ${wanted}`;
  }
}
