/** The tour of the core names every weakness and invariant once, and what it links to is there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const project = new URL('../../', import.meta.url);

function rows(text: string, letter: 'W' | 'I'): string[] {
  const names = [...text.matchAll(/^\| ((?:[WI]\d+b?(?:, )?)+) \|/gm)].flatMap(([, first = '']) =>
    first.split(', '),
  );
  return names.filter((name) => name.startsWith(letter));
}

function numbered(letter: 'W' | 'I', last: number): string[] {
  return Array.from({ length: last }, (_, i) => `${letter}${String(i + 1)}`);
}

it('core/README.md tells of W1 to W41 and of I1 to I30', () => {
  const text = readFileSync(new URL('core/README.md', project), 'utf8');
  expect(rows(text, 'W')).toEqual(numbered('W', 41));
  const columns = text
    .split('\n')
    .filter((line) => line.startsWith('| W'))
    .map((line) => line.split('|').length);
  expect(new Set(columns)).toEqual(new Set([7]));
  expect(rows(text, 'I').filter((name) => name !== 'I8b')).toEqual(numbered('I', 30));
});

it.each(['README.md', 'core/README.md', 'sim/README.md', 'test/scenarios/README.md'])(
  '%s links to files that are there',
  (path) => {
    const readme = new URL(path, project);
    const links = [...readFileSync(readme, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !existsSync(new URL(link, readme)))).toEqual([]);
  },
);
