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

const COMMENT_AT_END = 'reject/comment-without-newline';
const REFUSED_BY_CREATE = /^create-(e1536-not-power-of-2|empty-provider|k-negative|tiny-4K-provider)$/;

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
  // Bytes the scanner does not know are not echoed, and a comment may end the file (config.md, L3 and L5).
  {
    kind: 'config',
    case: /^(accept\/(crlf|semicolons|unmatched-characters)|reject\/comment-without-newline)$/,
    field: 'stdout',
    because: 'quirk 32',
    ours: () => '',
  },
  { kind: 'config', case: COMMENT_AT_END, field: 'verdict', because: 'quirk 32', ours: () => 'accept' },
  { kind: 'config', case: COMMENT_AT_END, field: 'exit', because: 'quirk 32', ours: () => 0 },
  { kind: 'config', case: COMMENT_AT_END, field: 'stderr', because: 'quirk 32', ours: () => '' },
  // Sizes that no node could work with are refused before anything is written (cli.md section 2).
  { kind: 'metadata', case: REFUSED_BY_CREATE, field: 'exit', because: 'quirk 30', ours: () => 65 },
  {
    kind: 'metadata',
    case: 'create-e1536-not-power-of-2',
    field: 'stderr',
    because: 'quirk 30',
    ours: () => '[ERROR] [r0] Extent size (1536) is not power of 2.\n',
  },
  {
    kind: 'metadata',
    case: 'create-tiny-4K-provider',
    field: 'stderr',
    because: 'quirk 30',
    ours: () => '[ERROR] [r0] Mediasize (4096) leaves no room for data: more than 4608 bytes are needed.\n',
  },
  {
    kind: 'metadata',
    case: 'create-empty-provider',
    field: 'stderr',
    because: 'quirk 30',
    ours: () => '[ERROR] [r0] Mediasize (0) leaves no room for data: more than 4608 bytes are needed.\n',
  },
  {
    kind: 'metadata',
    case: 'create-empty-provider',
    field: 'file_size',
    because: 'quirk 30',
    ours: () => 0,
  },
  {
    kind: 'metadata',
    case: 'create-k-negative',
    field: 'stderr',
    because: 'quirk 30',
    ours: () => '[ERROR] [r0] Keepdirty (-5) is less than 1.\n',
  },
  {
    kind: 'metadata',
    case: /^create-(empty-provider|k-negative)$/,
    field: 'metadata',
    because: 'quirk 30',
    ours: (recorded) => '0'.repeat(String(recorded).length),
  },
  // The media size is rounded down to whole sectors (metadata.md section 4): datasize 995393 becomes 995328.
  {
    kind: 'metadata',
    case: 'create-odd-size-1000001',
    field: 'metadata',
    because: 'metadata.md section 4, quirk of -m',
    ours: (recorded) => String(recorded).replace('41300f00', '00300f00'),
  },
  // Dump shows what is there and says what no node of ours would use (metadata.md section 2.4).
  {
    kind: 'metadata',
    case: 'create-odd-size-1000001',
    field: 'dump_stderr',
    because: 'metadata.md section 2.4',
    ours: () => unusable('datasize 995393 is not a multiple of the sector size 512'),
  },
  {
    kind: 'metadata',
    case: 'create-k-negative',
    field: 'dump_stderr',
    because: 'metadata.md section 2.4',
    ours: () => unusable('keepdirty -5 is less than 1'),
  },
  {
    kind: 'metadata',
    case: 'create-empty-provider',
    field: 'dump_stderr',
    because: 'metadata.md section 2.4',
    ours: () =>
      '[ERROR] Metadata read from /mnt/hast/m-empty-provider/a.img is invalid: ' +
      'datasize is missing, of a wrong type or out of range.\n',
  },
  {
    kind: 'metadata',
    case: 'create-empty-provider',
    field: 'dump_stdout',
    because: 'metadata.md section 2.4',
    ours: () => '',
  },
  {
    kind: 'metadata',
    case: 'create-empty-provider',
    field: 'dump_exit',
    because: 'metadata.md section 2.4',
    ours: () => 255,
  },
];

function unusable(why: string): string {
  return `[WARNING] [r0] hastd will not use this metadata: ${why}.\n`;
}
