/** Interop kind `numbers`: sizes as `list` and `dump` print them and as `create` reads them. */
import { formatBytes } from '../../core/base/human.js';
import { parseSize } from '../../cli/format.js';
import { readJson } from './files.js';
import type { Kind } from './kind.js';
import type { Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

const FILE = 'vectors/numbers.json';

interface Recording {
  readonly humanized: readonly { readonly value: string; readonly text: string }[];
  readonly parsed: readonly { readonly text: string; readonly value: string | null }[];
}

export const numbers: Kind = {
  name: 'numbers',

  run(folder: string, report: Report): void {
    const { humanized, parsed } = readJson<Recording>(folder, FILE);
    for (const { value, text } of humanized) {
      // The reference cuts off what it prints of negative numbers, which only nonsense metadata has.
      if (BigInt(value) >= 0n)
        report.case(`humanized: ${value}`).same('text', text, formatBytes(Number(value)));
    }
    for (const { text, value } of parsed) {
      report.case(`parsed: '${text}'`).same('value', value, parseSize(text)?.toString() ?? null);
    }
  },

  significant(folder: string): Significant[] {
    const { humanized } = readJson<Recording>(folder, FILE);
    const printed = humanized.flatMap(({ value }, i) => (BigInt(value) >= 0n ? [i] : []));
    return [
      ...leavesOf(folder, FILE, new RegExp(`^humanized\\.(${printed.join('|')})\\.text$`)),
      ...leavesOf(folder, FILE, /^parsed\.\d+\.value$/),
    ];
  },
};
