/** The numbers of `npm run coverage` are about every file of core/ that holds code, and about nothing else. */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';

const project = new URL('../../', import.meta.url);
const core = new URL('dist/core/', project);

/** Interfaces only: nothing of them is left when they are compiled. */
function holdsNoCode(compiled: string): boolean {
  const code = compiled.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return code.trim() === 'export {};';
}

it('coverage leaves out exactly the files that hold types alone', () => {
  const typesOnly = readdirSync(core, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && holdsNoCode(readFileSync(new URL(file, core), 'utf8')))
    .map((file) => `core/${file.replace(/\.js$/, '.ts')}`);
  const { exclude } = JSON.parse(readFileSync(new URL('.config/c8rc.json', project), 'utf8')) as {
    exclude: string[];
  };
  expect(exclude).toEqual(typesOnly.sort());
});
