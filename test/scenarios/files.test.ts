/** Every scenario file, judged; one that does not name a replication mode in all three. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ReplicationMode } from '../../core/config/types.js';
import { annotateScript } from '../../sim/script/annotate.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import type { Script } from '../../sim/script/script.js';
import { runScript } from '../../sim/world/run.js';

const folder = new URL('../../../test/scenarios/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.hast'));
const MODES: readonly ReplicationMode[] = ['fullsync', 'memsync', 'async'];

function parse(name: string, text: string): Script {
  const script = parseScript(text, `test/scenarios/${name}`);
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

/** What is wrong, as a script that shows where; nothing if nothing is. */
function failure(script: Script): string {
  const { violations } = runScript(script);
  return violations.length > 0 ? annotateScript(script, violations) : '';
}

describe.each(files)('%s', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');

  it('begins with what it shows', () => {
    expect(text).toMatch(/^# .*(?:\n# .*){0,2}\n[^#]/);
    expect(text).toMatch(/^#.*\b(?:I\d+|W\d+|C\d+|D\d+|N\d+|T\d+|R\d+|X\d+|Chain \d+|Life cycle)\b/m);
  });

  const modes = /^setup .*replication=/m.test(text) ? [null] : MODES;
  it.each(modes)('%s', (replication) => {
    const script = parse(name, text);
    const setup = replication === null ? script.setup : { ...script.setup, replication };
    expect(failure({ ...script, setup })).toBe('');
  });
});
