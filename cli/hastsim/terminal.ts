/**
 * What hastsim writes where: results to stdout, everything about how it is going to stderr, whose last line moves when it
 * is a terminal. Control-C is an event that the command at work answers; the second one ends the program.
 */
import type { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Streams {
  /** Where Enter comes from, if there is somebody to press it. */
  readonly stdin?: NodeJS.ReadStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export const EX_INTERRUPTED = 130;
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = '\r\u001b[K';

export class Terminal {
  readonly #streams: Streams;
  readonly #signals: EventEmitter;
  #status = '';
  /** The status of the program, once it ends. */
  exitCode = 0;

  /** `signals` emits SIGINT: the process. */
  constructor(streams: Streams, signals: EventEmitter) {
    this.#streams = streams;
    this.#signals = signals;
  }

  /** True when stderr shows a line that moves. */
  get moves(): boolean {
    return this.#streams.stderr.isTTY === true;
  }

  get columns(): number {
    return this.#streams.stderr.columns ?? DEFAULT_COLUMNS;
  }

  /** A result, or a part of one: whole lines. */
  print(text: string): void {
    this.#write(this.#streams.stdout, text);
  }

  /** The same terminal for work whose results somebody else prints. */
  withoutResults(): Terminal {
    return new Terminal({ ...this.#streams, stdout: { write: () => true } }, this.#signals);
  }

  /** Something that is not a result: whole lines. */
  note(text: string): void {
    this.#write(this.#streams.stderr, text);
  }

  /** Replaces the moving line; empty: there is none. */
  status(text: string): void {
    if (!this.moves) return;
    this.#status = text;
    this.#streams.stderr.write(CLEAR_LINE + text.slice(0, this.columns - 1));
  }

  /** Waits for Enter, on a terminal; false: it was Control-C, or the end of the input. */
  async pause(): Promise<boolean> {
    const { stdin, stdout } = this.#streams;
    if (stdin?.isTTY !== true || stdout.isTTY !== true) return true;
    const reader = createInterface({ input: stdin });
    const goesOn = await new Promise<boolean>((resolve) => {
      reader.once('line', () => resolve(true));
      reader.once('close', () => resolve(false));
      stdout.write('[Enter] ');
    });
    reader.close();
    return goesOn;
  }

  /** Does `work`; `stop` is called at the first Control-C, and work ends soon after. True: it was interrupted. */
  async interruptible(work: Promise<void>, stop: () => void): Promise<boolean> {
    let interrupted = false;
    const onInterrupt = (): void => {
      if (interrupted) process.exit(EX_INTERRUPTED);
      interrupted = true;
      stop();
    };
    this.#signals.on('SIGINT', onInterrupt);
    try {
      await work;
    } finally {
      this.#signals.off('SIGINT', onInterrupt);
      this.status('');
    }
    if (interrupted) this.exitCode = EX_INTERRUPTED;
    return interrupted;
  }

  #write(stream: OutputStream, text: string): void {
    const shown = this.#status;
    if (shown !== '') this.#streams.stderr.write(CLEAR_LINE);
    stream.write(`${text}\n`);
    if (shown !== '') this.status(shown);
  }
}
