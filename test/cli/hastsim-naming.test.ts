import { expect, test } from 'vitest';
import { Naming } from '../../cli/hastsim/naming.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import type { Script } from '../../sim/script/script.js';

function scriptOf(text: string): Script {
  const script = parseScript(text);
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

// Loads the core once for each weakness.
test('the weakness that a script shows is named', { timeout: 120_000 }, async () => {
  const naming = new Naming();
  const setup = 'setup core=freebsd-12.1 keepdirty=1\nrole a primary\nawait device within 30s\n';
  const several = await naming.weaknessesBehind(scriptOf(`${setup}write 14+4\nwait 10ms`), 'crash');
  expect(several.map(({ weakness }) => weakness)).toEqual(['W13']);
  const other = await naming.weaknessesBehind(scriptOf(`${setup}write 14+4\nwait 10ms`), 'I1');
  expect(other).toEqual([]);
  const unmarked = await naming.weaknessesBehind(scriptOf(`${setup}delete 0\nwait 10ms`), 'I10');
  expect(unmarked.map(({ weakness }) => weakness)).toEqual(['W21']);
});
