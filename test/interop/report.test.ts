import { describe, expect, it } from 'vitest';
import type { Difference } from './differences.js';
import { Report } from './report.js';

const RULE: Difference = {
  kind: 'k',
  case: /^one/,
  field: 'size',
  because: 'W0',
  ours: (size) => Number(size) + 1,
};

describe('the report of the interop suite', () => {
  it('counts cases, not comparisons', () => {
    const report = new Report('k', []);
    const good = report.case('good');
    good.same('a', 1, 1);
    good.same('b', { c: [1n] }, { c: [1n] });
    const bad = report.case('bad');
    bad.same('a', 1, 2);
    bad.same('b', 1, 2);
    expect([report.passed, report.failed]).toEqual([1, 1]);
    expect(report.failures()).toEqual(['k: bad: a: ours 2, recorded 1', 'k: bad: b: ours 2, recorded 1']);
  });

  it('wants what a rule makes of the recorded value, and nothing else', () => {
    const report = new Report('k', [RULE]);
    report.case('one').same('size', 1, 2);
    report.case('one more').same('size', 1, 1);
    report.case('another').same('size', 1, 1);
    expect(report.failures()).toEqual(['k: one more: size: ours 1, W0 2']);
  });

  it('fails with a rule that no case needs', () => {
    const unused = new Report('k', [RULE]);
    unused.case('another').same('size', 1, 1);
    expect(unused.failed).toBe(1);
    const idle = new Report('k', [{ ...RULE, ours: (size) => size }]);
    idle.case('one').same('size', 1, 1);
    expect(idle.failed).toBe(1);
    const ofAnotherKind = new Report('k', [{ ...RULE, kind: 'other' }]);
    ofAnotherKind.case('one').same('size', 1, 1);
    expect(ofAnotherKind.failed).toBe(0);
  });

  it('fails without cases, with a case that compared nothing, with a name used twice', () => {
    expect(new Report('k', []).failures()).toEqual(['k: no recordings found']);
    const report = new Report('k', []);
    report.case('empty');
    expect(report.failures()).toEqual(['k: empty: nothing was compared']);
    report.case('twice').same('a', 1, 1);
    report.case('twice').same('a', 1, 1);
    expect(report.failures()).toContain('k: twice: two cases have this name');
  });
});
