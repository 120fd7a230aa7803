/**
 * What the audience sees: numbered sentences, the commands as typed, their output, and bars for what takes time. On a
 * terminal in colour and moving; in a pipe or file the same words, one line each.
 */
import { formatBytes } from '../../core/base/human.js';

const BAR_WIDTH = 32;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;

type Style = 'bold' | 'dim' | 'cyan' | 'green' | 'red' | 'yellow';
const CODES: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  cyan: '36',
  green: '32',
  red: '31',
  yellow: '33',
};

export class Stage {
  readonly #moves: boolean;
  readonly #colours: boolean;
  #steps = 0;

  constructor() {
    this.#moves = process.stdout.isTTY;
    this.#colours = this.#moves && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  }

  title(text: string): void {
    this.#line('');
    this.#line(this.#styled('bold', text));
  }

  /** A paragraph, as it is. */
  text(...lines: readonly string[]): void {
    for (const line of lines) this.#line(line);
  }

  /** The next step: what happens, in a sentence. */
  step(sentence: string): void {
    this.#steps += 1;
    this.#line('');
    this.#line(`${this.#styled('bold', `${String(this.#steps).padStart(2)}.`)} ${sentence}`);
  }

  command(line: string): void {
    this.#line(`    ${this.#styled('cyan', `$ ${line}`)}`);
  }

  output(text: string): void {
    if (text === '') return;
    for (const line of text.replace(/\n$/, '').split('\n')) this.#line(`    ${this.#styled('dim', line)}`);
  }

  good(text: string): void {
    this.#line(`    ${this.#styled('green', '✓')} ${text}`);
  }

  bad(text: string): void {
    this.#line(`    ${this.#styled('red', '✗')} ${text}`);
  }

  /** Says what is being waited for while `work` goes on. */
  async waiting<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (!this.#moves) {
      this.#line(`    … ${what}`);
      return work();
    }
    const startedMs = performance.now();
    let frame = 0;
    const draw = (): void => {
      const seconds = Math.floor((performance.now() - startedMs) / 1000);
      const sign = this.#styled('yellow', FRAMES[frame++ % FRAMES.length] ?? '');
      this.#redraw(`    ${sign} ${what}${seconds > 0 ? ` (${seconds} s)` : ''}`);
    };
    draw();
    const timer = setInterval(draw, FRAME_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      this.#redraw('');
    }
  }

  /** A bar that fills up; call `done` at the end. */
  progress(what: string, totalBytes: number): Progress {
    const startedMs = performance.now();
    let shownBytes = 0;
    return {
      at: (bytes) => {
        if (!this.#moves || bytes === shownBytes) return;
        shownBytes = bytes;
        this.#redraw(`    ${this.#bar(bytes, totalBytes)}`);
      },
      done: () => {
        const seconds = (performance.now() - startedMs) / 1000;
        const rate = formatBytes(Math.round(totalBytes / Math.max(seconds, 0.001)));
        if (this.#moves) this.#redraw('');
        this.#line(`    ${this.#bar(totalBytes, totalBytes)}`);
        this.good(`${what}: ${formatBytes(totalBytes)} in ${seconds.toFixed(1)} s (${rate}/s)`);
      },
    };
  }

  #bar(bytes: number, totalBytes: number): string {
    const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
    const filled = Math.round(share * BAR_WIDTH);
    const bar =
      this.#styled('green', '█'.repeat(filled)) + this.#styled('dim', '░'.repeat(BAR_WIDTH - filled));
    return `${bar} ${String(Math.floor(share * 100)).padStart(3)}%  ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  }

  #redraw(line: string): void {
    process.stdout.write(`\r\x1b[2K${line}`);
  }

  #line(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  #styled(style: Style, text: string): string {
    return this.#colours ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }
}

export interface Progress {
  at(bytes: number): void;
  done(): void;
}
