/**
 * Where we differ from the recordings by right: one rule per case and field. `because` names the weakness (W of
 * core/spec/replication.md section 15) or the number in QUIRKS.md; `ours` makes what ours must be out of what was
 * recorded. A rule that no case needs fails the run.
 */
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
    case: 'nv-decode: host order flag set',
    field: 'errno',
    because: 'quirk 16',
    ours: () => 22,
  },
  {
    kind: 'vectors',
    case: 'nv-decode: namesize 1 (empty name)',
    field: 'errno',
    because: 'quirk 16',
    ours: () => 22,
  },
  // Assertions of the reference on a peer's bytes: a data error here (core/spec/wire.md section 4.3).
  {
    kind: 'vectors',
    case: /^payload-decode: lzf (too short|shorter than claimed)$/,
    field: 'outcome',
    because: 'quirk 10',
    ours: () => ({ rc: -1, size: 0 }),
  },
  // A length that is no multiple of 8 is never sent, but nothing to die of (core/spec/wire.md section 4.2).
  {
    kind: 'vectors',
    case: /^compression: text-1025, /,
    field: 'outcome',
    because: 'an assertion in the reference',
    ours: () => 'sent',
  },
];
