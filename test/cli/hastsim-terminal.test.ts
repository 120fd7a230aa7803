import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Terminal } from '../../cli/hastsim/terminal.js';
import type { Streams } from '../../cli/hastsim/terminal.js';
import { counted, rate, wrapped } from '../../cli/hastsim/text.js';

const CLEAR = '\r\u001b[K';

interface Screen {
  readonly terminal: Terminal;
  readonly signals: EventEmitter;
  readonly shown: () => string;
}

/** stdout and stderr are one screen. */
function screen(isTTY: boolean, stdin?: PassThrough): Screen {
  let shown = '';
  const stream = { write: (text: string) => (shown += text), isTTY, columns: 20 };
  const signals = new EventEmitter();
  const input = Object.assign(stdin ?? new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream;
  const streams: Streams = { stdin: input, stdout: stream, stderr: stream };
  return { terminal: new Terminal(streams, signals), signals, shown: () => shown };
}

test('the moving line makes way for results, and comes back', () => {
  const { terminal, shown } = screen(true);
  terminal.status('7 seeds');
  terminal.print('seed 7 fails');
  expect(shown()).toBe(`${CLEAR}7 seeds${CLEAR}seed 7 fails\n${CLEAR}7 seeds`);
});

test('it is not longer than the line', () => {
  const { terminal, shown } = screen(true);
  terminal.status('a text that is longer than twenty columns');
  expect(shown()).toBe(`${CLEAR}a text that is long`);
});

test('in a file there is none', () => {
  const { terminal, shown } = screen(false);
  terminal.status('7 seeds');
  terminal.note('so far');
  expect(shown()).toBe('so far\n');
});

test('Control-C stops the work, and the status tells', async () => {
  const { terminal, signals } = screen(false);
  let end = (): void => undefined;
  const work = new Promise<void>((resolve) => (end = resolve));
  const interrupted = terminal.interruptible(work, () => {
    end();
  });
  signals.emit('SIGINT');
  expect(await interrupted).toBe(true);
  expect(terminal.exitCode).toBe(130);
  expect(signals.listenerCount('SIGINT')).toBe(0);
});

test('Enter goes on, the end of the input does not', async () => {
  const stdin = new PassThrough();
  const { terminal, shown } = screen(true, stdin);
  stdin.write('\n');
  expect(await terminal.pause()).toBe(true);
  expect(shown()).toBe('[Enter] ');
  stdin.end();
  expect(await terminal.pause()).toBe(false);
});

test('nobody presses Enter in a pipe', async () => {
  const { terminal, shown } = screen(false);
  expect(await terminal.pause()).toBe(true);
  expect(shown()).toBe('');
});

test('without results', () => {
  const { terminal, shown } = screen(false);
  terminal.withoutResults().print('7');
  terminal.withoutResults().note('8');
  expect(shown()).toBe('8\n');
});

test('words and numbers', () => {
  expect([counted(1, 'seed'), counted(2, 'seed'), counted(2, 'crash', 'crashes')]).toEqual([
    '1 seed',
    '2 seeds',
    '2 crashes',
  ]);
  expect([rate(317.6), rate(41_234), rate(1_310_000)]).toEqual(['318', '41.2k', '1.31M']);
  expect(wrapped('one two three four', 9)).toBe('one two\nthree\nfour');
});
