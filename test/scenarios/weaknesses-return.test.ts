/** A weakness of the reference that is brought back fails the scenario files that are named after it. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Copies, loadBuild } from '../../cli/hastsim/mutants-copies.js';
import type { ReplicationMode } from '../../core/config/types.js';
import { weaknesses } from '../../sim/faults/table.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import type { Script } from '../../sim/script/script.js';
import { runScript } from '../../sim/world/run.js';

const folder = new URL('../../../test/scenarios/', import.meta.url);
const MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];

function scriptsAbout(weakness: string): Script[] {
  const prefix = `w${weakness.slice(1).padStart(2, '0')}-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith('.hast'));
  return names.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const script = parseScript(text, name);
    if (isScriptError(script)) throw new Error(script.message);
    if (/^setup .*replication=/m.test(text)) return [script];
    return MODES.map((replication) => ({ ...script, setup: { ...script.setup, replication } }));
  });
}

describe('a weakness that is brought back', () => {
  const copies = new Copies();
  afterAll(() => {
    copies.remove();
  });

  it.each(weaknesses.map((mutant) => [mutant.id, mutant] as const))('%s', async (_id, mutant) => {
    const own = await loadBuild(copies.build([mutant]));
    const noticed = scriptsAbout(mutant.weakness ?? '').some(
      (script) => runScript(script, { cores: { own } }).violations.length > 0,
    );
    expect(noticed).toBe(true);
  });
});
