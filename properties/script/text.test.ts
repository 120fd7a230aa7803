import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import { printScript } from '../../sim/script/print.js';
import { scripts } from '../arbitraries/script.js';

describe('the text of a script', () => {
  it('is read as the script it was printed from', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        expect(parseScript(printScript(script))).toEqual(script);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused with a line number when a word is damaged, or read as some script', () => {
    fc.assert(
      fc.property(scripts, fc.nat(), fc.string({ maxLength: 3 }), (script, at, inserted) => {
        const text = printScript(script);
        const cut = at % (text.length + 1);
        const read = parseScript(text.slice(0, cut) + inserted + text.slice(cut + 1), 'file');
        if (isScriptError(read)) {
          expect(read.message).toMatch(new RegExp(`^file:${String(read.line)}: .`));
        } else {
          expect(parseScript(printScript(read))).toEqual(read);
        }
      }),
      { numRuns: 500 },
    );
  });
});
