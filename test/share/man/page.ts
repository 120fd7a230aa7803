/** A manual page in mdoc(7), as far as it can be compared with a program. */
import { readFileSync } from 'node:fs';

/** Lines of a page, or of a part of it. */
export type Lines = readonly string[];

export function readPage(name: string): Lines {
  return readFileSync(new URL(`../../../../cli/share/man/${name}`, import.meta.url), 'utf8').split('\n');
}

/** What stands below the heading `.Sh TITLE` or `.Ss TITLE`, subsections included. */
export function section(page: Lines, title: string): Lines {
  const begin = page.findIndex((line) => line === `.Sh ${title}` || line === `.Ss ${title}`);
  if (begin === -1) throw new Error(`no section ${title}`);
  const ends = page[begin]?.startsWith('.Sh') === true ? /^\.Sh / : /^\.S[hs] /;
  const end = page.findIndex((line, i) => i > begin && ends.test(line));
  return page.slice(begin + 1, end === -1 ? undefined : end);
}

/** Titles of the subsections of a part. */
export function subsections(lines: Lines): string[] {
  return lines.filter((line) => line.startsWith('.Ss ')).map((line) => line.slice('.Ss '.length));
}

/** Every option that is spoken of, sorted: `-c`, `--node`. `.Fl dF` speaks of two. */
export function options(lines: Lines): string[] {
  const words = wordsAfter(lines, 'Fl').flatMap((word) =>
    word.startsWith('-') ? [`-${word}`] : [...word].map((letter) => `-${letter}`),
  );
  return [...new Set(words)].sort();
}

/** The words right after each use of a macro. */
export function wordsAfter(lines: Lines, macro: string): string[] {
  return lines
    .filter((line) => line.startsWith('.'))
    .map((line) => line.slice(1).split(/ +/))
    .flatMap((words) => words.filter((_, i) => words[i - 1] === macro));
}

/** Heads of list items: what stands after `.It`. */
export function items(lines: Lines): string[] {
  return lines.filter((line) => line.startsWith('.It ')).map((line) => line.slice('.It '.length));
}

/** Messages of all lists of diagnostics; words in capitals, which stand for what varies, are `*`. */
export function diagnostics(page: Lines): string[] {
  let inside = false;
  const messages: string[] = [];
  if (!page.includes('.Sh DIAGNOSTICS')) return messages;
  for (const line of section(page, 'DIAGNOSTICS')) {
    if (line.startsWith('.Bl')) inside = line === '.Bl -diag';
    else if (inside && line.startsWith('.It ')) messages.push(withoutNames(line.slice('.It '.length)));
  }
  return messages;
}

/** Literal displays: examples. */
export function displays(lines: Lines): string[] {
  return [...lines.join('\n').matchAll(/^\.Bd -literal.*\n([^]*?)^\.Ed$/gm)].map(([, text = '']) => text);
}

/** What varies is `*`; a device may be called `hast/*` or, if that is in a variable, `*`. */
export function withoutNames(text: string): string {
  return text.replace(/[A-Z]{2,}(?:-[A-Z]+)*/g, '*').replace(/(?:hast\/)?\*+/g, '*');
}
