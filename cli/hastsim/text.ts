/** What several commands say in the same words. */
import type { Violation } from '../../sim/world/result.js';

/** `I8 at 3.214 s, step 12, block 7: text`; the step as in a script, from 1. */
export function violationText({ invariant, text, atMs, step, block }: Violation): string {
  const place = block === null ? '' : `, block ${String(block)}`;
  return `${invariant} at ${(atMs / 1000).toFixed(3)} s, step ${String(step + 1)}${place}: ${text}`;
}

/** `1 seed`, `2 seeds`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

/** `318`, `41.2k`, `1.31M`. */
export function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)}M`;
  return perSecond >= 1e4 ? `${(perSecond / 1e3).toFixed(1)}k` : perSecond.toFixed(0);
}

/** The words of `text` on lines of so many columns. */
export function wrapped(text: string, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

/** One line of what happens in a run. */
export function traceLine(atMs: number, text: string): string {
  return `${(atMs / 1000).toFixed(6)} ${text}`;
}

export function indented(text: string, by = '    '): string {
  return text.trimEnd().replaceAll(/^/gm, by);
}
