import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../sim/faults/cores.js';
import { judgedByTests } from '../../sim/faults/judged-by-tests.js';
import type { Mutant } from '../../sim/faults/mutant.js';
import { patched, patchesByFile } from '../../sim/faults/patched.js';
import { mutants } from '../../sim/faults/table.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CORE = fileURLToPath(new URL('../../core/', import.meta.url));

/** What does not parse in a core with these defects. */
function mistakesIn(defects: readonly Mutant[]): string[] {
  return [...patchesByFile(defects)].flatMap(([file, patches]) => {
    const text = patched(readFileSync(CORE + file, 'utf8'), patches);
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    const { diagnostics = [] } = ts.transpileModule(text, { compilerOptions, reportDiagnostics: true });
    return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  });
}

describe('the table of known defects', () => {
  it('has at least 65, each with a name and a sentence of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(65);
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
    expect(new Set(mutants.map(({ title }) => title)).size).toBe(mutants.length);
    for (const { id, title, invariant } of mutants) {
      expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
      expect(title).toMatch(/^[A-Z].*\.$/);
      expect(invariant).toMatch(/^I\d+b?$/);
    }
  });

  it('has at least 30 that are not the reference’s', () => {
    expect(mutants.filter(({ weakness }) => weakness === undefined).length).toBeGreaterThanOrEqual(30);
  });

  it('knows for each weakness of the reference how it is judged', () => {
    const known = new Set([...mutants, ...judgedByTests].map(({ weakness }) => weakness));
    const missing = Array.from({ length: 41 }, (_, i) => `W${String(i + 1)}`).filter((id) => !known.has(id));
    expect(missing).toEqual([]);
    for (const { test } of judgedByTests) expect(existsSync(ROOT + test), test).toBe(true);
  });

  it.each(mutants.map((mutant) => [mutant.id, mutant] as const))('%s fits and parses', (_id, mutant) => {
    expect(mistakesIn([mutant])).toEqual([]);
  });

  it.each(['own', 'freebsd-12.1', 'protocol-1'] as const)('makes a core that behaves as %s', (core) => {
    expect(mistakesIn(differencesOf(core))).toEqual([]);
  });
});

describe('patches', () => {
  const source = 'if (a)\n    b();\nelse\n    c();\nb();\n';
  const patch = (find: string, replace = ''): { file: string; find: string; replace: string } => {
    return { file: 'x.js', find, replace };
  };

  it('are compared without indentation', () => {
    const find = `
      if (a)
        b();`;
    expect(patched(source, [patch(find, 'd();')])).toBe('d();\nelse\nc();\nb();\n');
  });

  it('must fit exactly once', () => {
    expect(() => patched(source, [patch('b();')])).toThrow("x.js: 'b();' is there twice");
    expect(() => patched(source, [patch('d();')])).toThrow("x.js: there is no 'd();'");
  });

  it('must not touch each other', () => {
    const both = [patch('else\nc();'), patch('c();\nb();')];
    expect(() => patched(source, both)).toThrow("x.js: two patches touch 'c();'");
  });

  it('of several mutants are there once when they say the same', () => {
    const mutant = (id: string): Mutant => {
      const shared = { title: `${id}.`, invariant: 'I1', profile: 'default' };
      return { id, ...shared, patches: [patch('  a', 'b')] };
    };
    expect(patchesByFile([mutant('x'), mutant('y')]).get('x.js')).toHaveLength(1);
  });
});
