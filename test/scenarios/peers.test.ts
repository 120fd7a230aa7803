/**
 * Chain 11 of core/spec/faults.md: the scenarios with a node of another kind on the other side. What our side alone can see to holds; the
 * rest is what an unmodified peer does not do, and is listed here by weakness.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadCores } from '../../cli/hastsim/mutants-load.js';
import { annotateScript } from '../../sim/script/annotate.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import type { CoreName, Script } from '../../sim/script/script.js';
import { runScript } from '../../sim/world/run.js';

const folder = new URL('../../../test/scenarios/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.hast'));
const cores = await loadCores(['freebsd-12.1', 'protocol-1']);

/** As a secondary the reference does not mark its copy (W8), drops what it has received (W16), ... */
const LIMITS: Readonly<Record<string, string>> = {
  'c29-source-dies-while-copying.hast': 'W8',
  'c35-interrupted-again-and-again.hast': 'W8',
  'd03-mark-not-taken-back.hast': 'W8',
  'n02-reset-under-load.hast': 'W16',
  'r20-replaced-and-interrupted.hast': 'W8',
  'w06-adoption-without-answer.hast': 'W6, W8',
  'w07-first-blocks.hast': 'W7',
  'w10-chunk-fails-on-source.hast': 'W8',
  'w21-delete-during-synchronisation.hast': 'W8',
  'w22-cut-within-a-write.hast': 'W22',
  'w33-damaged-metadata.hast': 'W33',
  'x14-overwrite-storm.hast': 'W8',
};

function failures(name: string, a: CoreName, b: CoreName): string {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const script = parseScript(text, name);
  if (isScriptError(script)) throw new Error(script.message);
  const modes = /^setup .*replication=/m.test(text)
    ? [script.setup.replication]
    : (['fullsync', 'memsync', 'async'] as const);
  return modes
    .map((replication): Script => ({ ...script, setup: { ...script.setup, replication, cores: { a, b } } }))
    .map((each) => ({ each, violations: runScript(each, { cores }).violations }))
    .filter(({ violations }) => violations.length > 0)
    .map(({ each, violations }) => annotateScript(each, violations))
    .join('\n');
}

describe('a peer that speaks the first version of the protocol only', () => {
  it.each(files)('is as good as another, as primary and as secondary: %s', (name) => {
    expect(failures(name, 'own', 'protocol-1')).toBe('');
    expect(failures(name, 'protocol-1', 'own')).toBe('');
  });
});

describe('the reference as secondary', () => {
  const secondary = files.filter(
    (name) => !/role b primary/.test(readFileSync(new URL(name, folder), 'utf8')),
  );

  it.each(secondary)('costs nothing but what it is known for: %s', (name) => {
    const found = failures(name, 'own', 'freebsd-12.1');
    if (LIMITS[name] === undefined) expect(found).toBe('');
    else expect(found).not.toBe('');
  });
});
