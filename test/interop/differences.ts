/**
 * Where we differ from the recordings by right: one rule per case and field. `because` names the weakness (W of
 * core/spec/replication.md section 15) or the number in QUIRKS.md; `ours` makes what ours must be out of what was
 * recorded. A rule that no case needs fails the run.
 */
import { besidesDump, insteadOfAbort, insteadOfNonsense } from './create-differences.js';
import type { Created, Dumped } from './create-differences.js';

export interface Difference {
  readonly kind: string;
  /** The case's name, or a pattern for several. */
  readonly case: string | RegExp;
  readonly field: string;
  readonly because: string;
  readonly ours: (recorded: unknown) => unknown;
}

export const DIFFERENCES: readonly Difference[] = [
  // The reference believes what it never sends; refusing is safe (core/spec/wire.md section 3).
  {
    kind: 'vectors',
    case: /^nv-decode: .*(host order flag|empty name)/,
    field: 'errno',
    because: 'quirk 16',
    ours: () => 22,
  },
  // Assertions of the reference on a peer's bytes: a data error here (core/spec/wire.md section 4.3).
  {
    kind: 'vectors',
    case: /^payload-decode: /,
    field: 'outcome',
    because: 'quirk 10',
    ours: (recorded) => (recorded === 'crash' ? { rc: -1, size: 0 } : recorded),
  },
  // A length that is no multiple of 8 is never sent, but nothing to die of (core/spec/wire.md section 4.2).
  {
    kind: 'vectors',
    case: /^compression: /,
    field: 'outcome',
    because: 'an assertion of the reference',
    ours: () => 'sent',
  },
  // A comment may end the file (config.md, L5); the reference echoes its `#` and reads on.
  {
    kind: 'config',
    case: /^/,
    field: 'comment at the end',
    because: 'quirk 32',
    ours: () => ({ verdict: 'accept', exit: 0, stderr: '' }),
  },
  // Bytes that the scanner does not know are not echoed (config.md, L3).
  {
    kind: 'config',
    case: /^/,
    field: 'stdout',
    because: 'quirk 32',
    ours: (recorded) => String(recorded).replaceAll(/[^A-Za-z0-9._/:[\]{} \t\n-]/g, ''),
  },
  {
    kind: 'metadata',
    case: /^create-/,
    field: 'abort',
    because: 'quirk 30',
    ours: (recorded) => insteadOfAbort(recorded as Created),
  },
  {
    kind: 'metadata',
    case: /^create-/,
    field: 'created',
    because: 'quirk 30 and metadata.md section 4',
    ours: (recorded) => insteadOfNonsense(recorded as Created),
  },
  {
    kind: 'metadata',
    case: /^create-/,
    field: 'dumped',
    because: 'metadata.md section 2.4',
    ours: (recorded) => besidesDump(recorded as Dumped),
  },
];
