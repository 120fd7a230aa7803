import { describe, expect, it } from 'vitest';
import { isScriptError, parseScript } from '../../../sim/script/parse.js';
import type { Script } from '../../../sim/script/script.js';
import { CRASH_SCRIPTS } from '../../../sim/tools/crash-scripts.js';
import { CRASHES, crashPoints, runCrashPoint } from '../../../sim/tools/crashpoints.js';
import { runScript } from '../../../sim/world/run.js';

function scriptOf(text: string): Script {
  const script = parseScript(text);
  if (isScriptError(script)) throw new Error(script.message);
  return script;
}

const SMALL = scriptOf('setup extents=2\npair\nwrite 3\n+20ms flush\nuntil idle\nwrite 20\n+20ms settle\n');

describe('crash points', () => {
  it('are before and after everything that reaches a disk or the wire, from the last until on', () => {
    const points = crashPoints(SMALL);
    const all = points.map(({ what }) => what).join('; ');
    for (const expected of [
      'before map on disk a',
      'after flush of disk a, message of a',
      'after data on disk a',
      'after message to b',
      'after data on disk b, message of b',
    ]) {
      expect(all).toContain(expected);
    }
    const events = points.map((point) => point.events);
    expect(events).toEqual([...new Set(events)].sort((x, y) => x - y));
    // The first write and the handshakes are not among them.
    expect(points.length).toBeLessThan(20);
  });

  it('are the same each time', () => {
    expect(crashPoints(SMALL)).toEqual(crashPoints(SMALL));
  });

  it('are struck, and everything comes right', () => {
    const plain = runScript(SMALL);
    for (const point of crashPoints(SMALL)) {
      for (const crash of CRASHES) {
        const result = runCrashPoint(SMALL, point, crash);
        expect(result.violations, `${crash.name}, ${point.what}`).toEqual([]);
        expect(result.faults).toBe(crash.actions.length);
        expect(result.hash).not.toBe(plain.hash);
      }
    }
  });

  it.each(Object.entries(CRASH_SCRIPTS))('of %s: a few of them hold', (_name, text) => {
    const script = scriptOf(text);
    expect(runScript(script).violations).toEqual([]);
    const points = crashPoints(script);
    expect(points.length).toBeGreaterThan(40);
    for (const [index, crash] of CRASHES.entries()) {
      const point = points[Math.floor((points.length * (index + 0.5)) / CRASHES.length)];
      if (point === undefined) throw new Error('no such point');
      expect(runCrashPoint(script, point, crash).violations, `${crash.name}, ${point.what}`).toEqual([]);
    }
  });
});
