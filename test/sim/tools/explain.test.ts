import { describe, expect, it } from 'vitest';
import { isScriptError, parseScript } from '../../../sim/script/parse.js';
import type { Script } from '../../../sim/script/script.js';
import { explain, tell } from '../../../sim/tools/explain.js';
import { runScript } from '../../../sim/world/run.js';

function scriptOf(text: string): Script {
  const script = parseScript(text);
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

const SCRIPT = scriptOf(`
setup extents=2
pair
write 3+2 = old
until idle
kill b
+1s write 4 = new
until idle
settle
`);

/** What was written under that label cannot be there. */
const BROKEN = scriptOf(
  'setup extents=2\npair\nwrite 3 = x\nuntil idle\nwrite 3 = y\nuntil idle\nexpect block 3 = x\n',
);

describe('explanation', () => {
  it('tells a WRITE from the application to both disks and back', () => {
    const { happenings } = tell(SCRIPT);
    const begin = happenings.findIndex(({ kind }) => kind === 'request');
    const told = happenings.slice(begin).map(({ from, to, text }) => `${from} > ${to}: ${text}`);
    const expected = [
      'application > a: write 3+2 = old',
      'a > disk a: map +0',
      'a > disk a: 3+2 = old',
      'a > b: WRITE 3+2 = old (1)',
      'b > disk b: 3+2 = old',
      'b > a: WRITE done 3+2 (1)',
      'a > application: write 3+2 = old: done',
    ];
    for (const line of expected) expect(told).toContain(line);
    expect(told.indexOf(expected[1] ?? '')).toBeLessThan(told.indexOf(expected[2] ?? ''));
  });

  it('tells handshakes, what changes in the metadata, and the synchronisation', () => {
    const text = explain(SCRIPT, 'text');
    for (const line of [
      'hello r0, version 2',
      'attached, virgin, counters 0/0, the primary has the good data, no dirty extents',
      'metadata localcnt 0 -> 1',
      'the worker is dead',
      'WRITE 0+8 = zero, old, new, zero',
      'metadata incomplete false -> true',
      'syncdone',
      'No violation.',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toContain('KEEPALIVE');
  });

  it('does not change the run', () => {
    expect(tell(SCRIPT).result).toEqual(runScript(SCRIPT));
  });

  it('tells the story of a block on both copies, as reads see it and as a power failure leaves it', () => {
    const { moments } = tell(SCRIPT, { block: 4 });
    const story = moments.map(({ happening, states: { a, b } }) => [
      happening.text,
      `${a.visible}/${a.durable} ${b.visible}/${b.durable}`,
    ]);
    expect(story).toContainEqual(['write 3+2 = old: done', 'old/zero old/zero']);
    // What was in the cache may have been written back, or not.
    expect(story).toContainEqual(['4 = new', expect.stringMatching(/^new\/(old|zero) old\/zero$/)]);
    expect(story.at(-1)?.[1]).toBe('new/new new/new');
    // Nothing that concerns other blocks only.
    expect(moments.some(({ happening: { blocks } }) => blocks?.first === 8)).toBe(false);
  });

  it('ends with the violation', () => {
    const text = explain(BROKEN, 'text');
    expect(text).toMatch(/expect is violated after [0-9.]+ s: /);
    const { happenings, violation } = tell(BROKEN);
    expect(violation?.invariant).toBe('expect');
    expect(happenings.at(-1)?.kind).toBe('violation');
  });

  it('leaves the small things to those who ask for everything', () => {
    expect(tell(SCRIPT, { verbose: true }).happenings.length).toBeGreaterThan(tell(SCRIPT).happenings.length);
    expect(tell(SCRIPT).happenings.some(({ kind, arrivesMs }) => kind === 'sent' && arrivesMs !== null)).toBe(
      false,
    );
  });

  it('shows a message that is lost', () => {
    const cut = scriptOf('setup extents=2\npair\ncut a->b\nwrite 3\n+1s nothing\n');
    const lost = tell(cut).happenings.filter(({ kind }) => kind === 'sent');
    expect(lost.map(({ text }) => text)).toContain('WRITE 3 = #1 (1)');
    expect(explain(cut, 'text')).toContain('WRITE 3 = #1 (1), never arrives');
    expect(explain(cut, 'mermaid')).toContain('a-xb: WRITE 3 = #35;1 (1)');
  });

  it('draws a sequence diagram', () => {
    const lines = explain(SCRIPT, 'mermaid').split('\n');
    expect(lines[0]).toBe('sequenceDiagram');
    expect(lines).toContain('  app->>a: write 3+2 = old');
    expect(lines).toContain('  a->>da: 3+2 = old');
    expect(lines).toContain('  a->>b: WRITE 3+2 = old (1)');
    expect(lines).toContain('  a-->>app: write 3+2 = old: done');
    expect(lines.some((line) => /[^5];/.test(line))).toBe(false);
  });

  it('is JSON for programs', () => {
    const story = JSON.parse(explain(SCRIPT, 'json', { block: 3 })) as Record<string, unknown>;
    expect(story).toMatchObject({ violation: null, block: { block: 3 }, hash: runScript(SCRIPT).hash });
    expect(explain(SCRIPT, 'json')).toBe(explain(SCRIPT, 'json'));
  });

  it('takes strikes that no script can express', () => {
    const strikes = [
      { events: 30, actions: [{ kind: 'kill', node: 'b', what: 'worker' }], undo: [] },
    ] as const;
    expect(tell(SCRIPT, { strikes }).result.hash).not.toBe(tell(SCRIPT).result.hash);
  });
});
