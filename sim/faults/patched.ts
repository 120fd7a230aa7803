/** Patches applied to compiled text. */
import type { Mutant, Patch } from './mutant.js';

/**
 * `source` with all patches applied, its lines without indentation. Throws when a patch does not fit exactly once, or
 * when two touch the same text.
 */
export function patched(source: string, patches: readonly Patch[]): string {
  const text = withoutIndentation(source);
  const places = patches.map((patch) => placeOf(text, patch)).sort((a, b) => a.start - b.start);
  let result = '';
  let end = 0;
  for (const { patch, start, length } of places) {
    if (start < end) throw new Error(`${patch.file}: two patches touch '${firstLine(patch)}'`);
    result += text.slice(end, start) + withoutIndentation(patch.replace).trim();
    end = start + length;
  }
  return result + text.slice(end);
}

/** The patches of all these mutants, by file; what several of them say is there once. */
export function patchesByFile(mutants: readonly Mutant[]): ReadonlyMap<string, readonly Patch[]> {
  const files = new Map<string, Patch[]>();
  for (const patch of mutants.flatMap(({ patches }) => patches)) {
    const known = files.get(patch.file) ?? [];
    files.set(patch.file, known);
    if (!known.some((other) => isSame(other, patch))) known.push(patch);
  }
  return files;
}

function isSame(a: Patch, b: Patch): boolean {
  const tidy = (text: string): string => withoutIndentation(text).trim();
  return tidy(a.find) === tidy(b.find) && tidy(a.replace) === tidy(b.replace);
}

function placeOf(text: string, patch: Patch): { patch: Patch; start: number; length: number } {
  const find = withoutIndentation(patch.find).trim();
  const start = text.indexOf(find);
  if (find === '' || start === -1) throw new Error(`${patch.file}: there is no '${firstLine(patch)}'`);
  if (text.includes(find, start + 1)) throw new Error(`${patch.file}: '${firstLine(patch)}' is there twice`);
  return { patch, start, length: find.length };
}

function firstLine({ find }: Patch): string {
  return find.trim().split('\n')[0] ?? '';
}

function withoutIndentation(text: string): string {
  return text.replace(/^[ \t]+/gm, '');
}
