import { describe, expect, it } from 'vitest';
import { isScriptError, parseScript } from '../../../sim/script/parse.js';
import type { Action, Script } from '../../../sim/script/script.js';
import { runStruck, type Strike } from '../../../sim/tools/strikes.js';
import { struckScript } from '../../../sim/tools/struck-script.js';
import { runScript } from '../../../sim/world/run.js';

function scriptOf(text: string): Script {
  const script = parseScript(text);
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

/** An expectation that holds unless the write is interrupted. */
const SCRIPT = scriptOf('setup extents=2\npair\n+5ms write 3 = x\n+20ms expect block 3 on b = x\n');
const CUT: Action = { kind: 'cut', from: 'a' };

/** So many events have happened after so many steps. */
function eventsAfter(steps: number): number {
  return runScript({ ...SCRIPT, steps: SCRIPT.steps.slice(0, steps) }).events;
}

describe('struck script', () => {
  it('breaks the same as the script that was struck', () => {
    const writeStep = SCRIPT.steps.findIndex(({ action }) => action.kind === 'request');
    const strikes: readonly Strike[] = [{ events: eventsAfter(writeStep + 1) + 2, actions: [CUT], undo: [] }];
    const [violation] = runStruck(SCRIPT, strikes).violations;
    expect(violation?.invariant).toBe('expect');
    const script = struckScript(SCRIPT, strikes);
    expect(script?.steps.map(({ action }) => action.kind).slice(writeStep)).toEqual([
      'request',
      'cut',
      'expect',
    ]);
    expect(script && runScript(script).violations[0]?.text).toBe(violation?.text);
    // The step after the strike comes when it came before.
    expect(script && runScript(script).violations[0]?.atMs).toBe(violation?.atMs);
  });

  it('is none when nothing is broken', () => {
    expect(struckScript(SCRIPT, [])).toBeNull();
  });

  it('is none when the strike came within a step that waits', () => {
    const waiting = scriptOf(
      'setup extents=2\npair\nwrite 3\nuntil idle within 1s\nexpect block 3 on b = zero',
    );
    const events = runScript({ ...waiting, steps: waiting.steps.slice(0, -2) }).events + 1;
    const strikes: readonly Strike[] = [
      { events, actions: [{ kind: 'kill', node: 'b', what: 'all' }], undo: [] },
    ];
    expect(struckScript(waiting, strikes)).toBeNull();
  });
});
