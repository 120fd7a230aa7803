import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { annotateScript } from '../../sim/script/annotate.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import { printScript } from '../../sim/script/print.js';
import { DEFAULT_SETUP, type Script } from '../../sim/script/script.js';

function parsed(text: string): Script {
  const script = parseScript(text, 'file');
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

function errorOf(text: string): string {
  const script = parseScript(text, 'file');
  return isScriptError(script) ? script.message : 'no error';
}

const README = readFileSync(new URL('../../../sim/script/README.md', import.meta.url), 'utf8');

/** Under each headline the first column of its tables, as what kind of line it stands for. */
const PREFIXES: Readonly<Record<string, string>> = { setting: 'setup ', condition: 'until ' };

/** Every line of the language that the README shows. */
function examples(): string[] {
  const lines: string[] = [];
  let prefix = '';
  for (const line of README.split('\n')) {
    const [, head, first = ''] = /^\|( ?)([^|]*)\|/.exec(line) ?? [];
    if (head === undefined) prefix = '';
    else prefix = PREFIXES[first.trim()] ?? prefix;
    lines.push(...[...first.matchAll(/`([^`]+)`/g)].map(([, example = '']) => prefix + example));
  }
  return lines;
}

describe('the README of the language', () => {
  it.each(examples())('shows a line that is read: %s', (line) => {
    expect(errorOf(line)).toBe('no error');
  });

  it('begins with a whole script', () => {
    const [, text = ''] = /```\n(.*?)```/s.exec(README) ?? [];
    expect(parsed(text).steps).toHaveLength(8);
  });

  it('shows every verb', () => {
    const [, verbs = ''] = /there are: (.*)/.exec(errorOf('xyzzy')) ?? [];
    const shown = new Set(examples().map((line) => line.replace(/^(?:at \S+|\+\S+) /, '').split(' ')[0]));
    expect(verbs.split(', ').filter((verb) => !shown.has(verb))).toEqual([]);
  });
});

describe('a script', () => {
  it('is read line by line, comments and blank lines do not count', () => {
    const script = parsed(
      '# prose\nsetup seed=7\n\nsetup timeout=5 # more\n  at 2s  cut b->a # silence\n+150ms flush\n',
    );
    expect(script).toEqual({
      setup: { ...DEFAULT_SETUP, seed: 7, timeout: 5 },
      steps: [
        { when: { kind: 'at', ms: 2000 }, action: { kind: 'cut', from: 'b' } },
        {
          when: { kind: 'after', ms: 150 },
          action: { kind: 'request', node: null, request: { kind: 'flush' } },
        },
      ],
    });
  });

  it('may hold shorthands, which are printed at length', () => {
    expect(printScript(parsed('+1s pair\ncrash a\nstart a b\nuntil idle'))).toBe(
      [
        '+1s role b secondary',
        '+100ms role a primary',
        'until in-sync within 1min',
        'kill a',
        'start a',
        'start b',
        'until idle within 1min',
        '',
      ].join('\n'),
    );
  });

  it('fills the device, extent by extent', () => {
    expect(printScript(parsed('setup extents=2\n+1s fill'))).toBe(
      'setup extents=2\n+1s write 0+16\nwrite 16+16\n',
    );
  });

  it('loads it with requests that depend on the seed, and come evenly', () => {
    const [text, other] = [1, 2].map((seed) =>
      printScript(parsed(`setup seed=${String(seed)}\nload 100 requests within 250ms`)),
    );
    const lines = (text ?? '').split('\n').slice(0, -1);
    expect(lines).toHaveLength(100);
    expect(lines.slice(1).every((line) => /^\+2500us (write|read|delete|flush)/.test(line))).toBe(true);
    expect(other?.split('\n').slice(1)).not.toEqual(lines);
  });

  it('is shown with what was found wrong, and stays a script', () => {
    const script = parsed('setup seed=7\nwrite 7 = x\nwait 5s');
    const text = annotateScript(script, [
      { invariant: 'I1', text: 'holds y\ninstead of x', atMs: 1500.2, step: 1, block: 7 },
    ]);
    expect(text).toBe(
      'setup seed=7\nwrite 7 = x\nwait 5s\n# ^^^ I1 at 1500ms: holds y\n#     instead of x\n',
    );
    expect(parsed(text)).toEqual(script);
  });

  it('prints only settings that are not the usual ones', () => {
    const text = 'setup replication=async keepdirty=1/3 core=own/freebsd-12.1 takeover=yes\n';
    expect(printScript(parsed(text))).toBe(text);
    expect(printScript(parsed('setup keepdirty=5/5 seed=1'))).toBe('setup keepdirty=5\n');
  });

  it('prints durations in the largest unit that is whole', () => {
    expect(printScript(parsed('wait 90000ms\nwait 0s\nwait 1.5ms\nwait 120s\nwait 0.25us'))).toBe(
      'wait 90s\nwait 0ms\nwait 1500us\nwait 2min\nwait 0.00025ms\n',
    );
  });

  it('keeps quotes, comments and line ends in a text', () => {
    const script = parsed('expect log a "say \\"no\\" # \\\\ \\n twice"');
    expect(script.steps[0]?.action).toEqual({
      kind: 'expect',
      expectation: { kind: 'log', node: 'a', text: 'say "no" # \\ \n twice' },
    });
    expect(parsed(printScript(script))).toEqual(script);
  });
});

describe('an error says where, what and what to do', () => {
  it.each([
    ['\n\nwrite 256', 'file:3: "256" is beyond the device, whose last block is 255 (see extents in setup)'],
    ['write 7+0', '"7+0": expected a block, or a range like 7+8 (eight blocks from 7 on)'],
    ['write 7 = a/b', '"a/b": a label is made of letters, digits, - _ and .'],
    ['write 7 = zero', '"zero" stands for what was deleted or never written: use another label, or delete'],
    ['write 7 x', '"x" is too much: the line could end before it'],
    ['cut a->a', '"a->a": expected a->b or b->a'],
    ['cut a->b after 7', 'after "7": expected "bytes"'],
    ['cut a->b after 7 miles', '"miles": expected "bytes"'],
    ['role c primary', '"c": expected a node: a, b'],
    ['role a master', '"master": expected a role: init, primary, secondary'],
    ['role a', 'after "a": expected a role: init, primary, secondary'],
    ['+soon flush', '"soon": expected a duration: a number and us, ms, s, min or h'],
    ['at', 'after "at": expected a duration like 150ms'],
    ['at 1e999h flush', '"1e999h": expected a duration: a number and us, ms, s, min or h'],
    ['latency 5ms..1ms', '"5ms..1ms": the shorter duration comes first'],
    ['bandwidth 0kB/s', '"0kB/s": expected a bandwidth like 100kB/s'],
    [
      'reload replication=fast',
      '"replication=fast": expected replication= and one of: fullsync, memsync, async',
    ],
    [
      'fail a write twice',
      '"twice": expected always, once, or a number and "times", a whole number, at least 1',
    ],
    ['fail a write once everywhere', '"everywhere": expected a place or an error: EIO, ENOSPC, EOPNOTSUPP'],
    ['corrupt a 7 bit 4096', '"4096": expected a bit, a whole number, 0 .. 4095'],
    ['expect log a worker', 'worker: expected a text in double quotes'],
    ['expect log a "worker', '": expected a text in double quotes'],
    ['setup speed=7', 'unknown setting "speed"; there are: seed, replication, '],
    ['setup seed=-1', '"seed=-1": expected seed=VALUE, where VALUE is a whole number, 0 .. 4294967295'],
    ['setup seed', '"seed": expected seed=VALUE, where VALUE is a whole number, 0 .. 4294967295'],
    ['setup keepdirty=1/2/3', 'expected keepdirty=VALUE, where VALUE is a whole number, 1 .. 4096; X/Y when'],
    ['setup extent-bytes=1000', 'where VALUE is a power of two, 512 .. 2097152'],
    ['setup extents=1024 extent-bytes=2097152', 'more than 67108864: make one of them smaller'],
    ['setup', 'after "setup": expected name=value'],
    ['flush\nsetup seed=2', 'file:2: setup comes before the first step'],
    ['kut', 'unknown action "kut"; there are: '],
    ['constructor', 'unknown action "constructor"; there are: '],
    ['+5s wait 3s', 'unknown action "wait" (wait says itself how long: it takes no time before it)'],
    ['+5s', 'after "+5s": expected an action'],
    ['until block', '"block": expected a condition: in-sync, idle, '],
    ['expect counts a 1 0', '"a": expected counters like a(1,0)'],
    ['expect no peer', '"peer": expected what there is not: device, worker'],
    ['expect event a startsync', '"startsync": expected an event: role, connect, '],
  ])('%j', (text, message) => {
    expect(errorOf(text)).toContain(message);
  });
});
