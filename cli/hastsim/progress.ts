/** How far something is: a line that moves on a terminal, else a line now and then. */
import type { Terminal } from './terminal.js';

const MOVING_MS = 100;
const LINES_MS = 10_000;
const BAR_WIDTH = 16;

/** Shows what `text` says, again and again, until the returned function is called. */
export function showProgress(terminal: Terminal, text: () => string): () => void {
  const show = (): void => {
    if (terminal.moves) terminal.status(text());
    else terminal.note(text());
  };
  const timer = setInterval(show, terminal.moves ? MOVING_MS : LINES_MS);
  return () => {
    clearInterval(timer);
    terminal.status('');
  };
}

/** `[#####---] 41 %`; `fraction` from 0 to 1. */
export function bar(fraction: number): string {
  const full = Math.round(BAR_WIDTH * Math.min(1, fraction));
  const percent = Math.floor(100 * Math.min(1, fraction));
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${String(percent)} %`;
}
